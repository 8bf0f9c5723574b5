// Encoded words or texts, each with the vector that a model is to give it.
#pragma once

#include <ATen/core/Tensor.h>

#include "data/batch.h"

namespace semblance {

class VectorDataset {
 public:
  /// `targets`: float [rows, dim].
  VectorDataset(FrozenIds ids, at::Tensor targets) : ids_(std::move(ids)), targets_(std::move(targets)) {}

  int64_t size() const { return ids_.size(); }
  /// `targets` of the batch: float [batch, dim].
  TextBatch batch(std::span<const int64_t> rows, uint64_t key) const;
  const FrozenIds& ids() const { return ids_; }
  const at::Tensor& targets() const { return targets_; }

 private:
  FrozenIds ids_;
  at::Tensor targets_;
};

}  // namespace semblance
