// torch::optim::Adam as it is, for dense gradients: what others are measured against.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "models/named_tensors.h"

namespace semblance {

class ReferenceAdam {
 public:
  struct Options {
    double beta1, beta2, eps, weight_decay;
  };
  /// `exp_avg` and `exp_avg_sq`, a tensor for each parameter, are its state, which it changes in place.
  ReferenceAdam(const NamedTensors& parameters, const std::vector<at::Tensor>& exp_avg,
                const std::vector<at::Tensor>& exp_avg_sq, const Options& options);
  ~ReferenceAdam();

  /// One step with the parameters' gradients. Throws c10::Error for a sparse one.
  void step(double learning_rate);
  /// Steps taken, which the bias correction counts.
  void set_steps(int64_t steps);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace semblance
