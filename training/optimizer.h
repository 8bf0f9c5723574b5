// Optimizers. Dense gradients go through LibTorch's fused operators: one pass over each parameter, where
// torch::optim makes ten. Row-sparse gradients touch their rows alone. To be used by one thread at a time; a
// step spreads its work over LibTorch's threads itself.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "models/named_tensors.h"
#include "training/optimizer_options.h"

namespace semblance {

class Optimizer {
 public:
  virtual ~Optimizer() = default;

  void zero_grad();
  /// One step with the parameters' gradients; a parameter without one stays as it is.
  virtual void step(double learning_rate) = 0;
  /// Scales the gradients so that their common 2-norm is at most `max_norm`. Reads nothing back from the
  /// device.
  void clip_gradients(double max_norm);

  /// The state to be saved and, by copying into it, restored: "exp_avg.embedding.weight", … The tensors are
  /// live.
  virtual NamedTensors state() const = 0;
  /// Steps taken, which the state does not hold.
  virtual void set_steps(int64_t steps) = 0;

 protected:
  explicit Optimizer(NamedTensors parameters) : parameters_(std::move(parameters)) {}
  NamedTensors parameters_;
};

/// For the parameters as they are now: move the module to its device first.
std::unique_ptr<Optimizer> make_optimizer(const OptimizerOptions& options, NamedTensors parameters);

}  // namespace semblance
