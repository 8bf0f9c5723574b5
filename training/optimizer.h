// Optimizers. Dense gradients go through LibTorch's fused operators: one pass over each parameter, where
// torch::optim makes ten. Row-sparse gradients touch their rows alone.
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "data/fields.h"

namespace semblance {

/// LazyAdam's decay reaches a row with the next gradient that it has, for all the steps since the last.
/// DenseAdam is torch::optim::Adam itself. RowwiseAdagrad keeps one number for each row of a matrix.
enum class OptimizerKind { Sgd, Adam, AdamW, Adagrad, LazyAdam, RowwiseAdagrad, DenseAdam };

template <>
struct EnumNames<OptimizerKind> {
  static constexpr std::array names{std::pair{OptimizerKind::Adam, "adam"},
                                    std::pair{OptimizerKind::AdamW, "adamw"},
                                    std::pair{OptimizerKind::LazyAdam, "lazy-adam"},
                                    std::pair{OptimizerKind::Adagrad, "adagrad"},
                                    std::pair{OptimizerKind::RowwiseAdagrad, "rowwise-adagrad"},
                                    std::pair{OptimizerKind::DenseAdam, "dense-adam"},
                                    std::pair{OptimizerKind::Sgd, "sgd"}};
};

struct OptimizerOptions {
  OptimizerKind kind = OptimizerKind::Adam;
  double momentum = 0;  ///< SGD
  double beta1 = 0.9, beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0;  ///< AdamW and LazyAdam decouple it; the others add it to the gradient
};

/// Whether an embedding's gradient should name its touched rows only.
constexpr bool wants_sparse_gradients(OptimizerKind kind) {
  return kind == OptimizerKind::LazyAdam || kind == OptimizerKind::RowwiseAdagrad;
}

using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;

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
