// How near a model's vectors come to given ones (row 5.3), collected batch by batch.
#pragma once

#include <ATen/core/Tensor.h>

#include "training/metrics.h"

namespace semblance {

class VectorMetrics {
 public:
  /// `baseline`: float [dim], the vector that a model without any insight would give every word: the mean of
  /// the training words'.
  explicit VectorMetrics(at::Tensor baseline);

  /// output, target: float [batch, dim].
  void add(const at::Tensor& output, const at::Tensor& target);

  /// cosine (mean over words; 0 where either vector is zero), mse (mean over words and numbers), loss (the
  /// same), zero_mse of the zero vector, mean_mse and mean_cosine of the baseline, examples.
  Metrics result() const;

 private:
  at::Tensor baseline_;  // float64 [dim]
  at::Tensor sums_;      // float64 [5] on the device: cosine, mse, zero_mse, mean_mse, mean_cosine
  int64_t examples_ = 0, numbers_ = 0;
};

}  // namespace semblance
