// Which optimizer, and how: what option structs and tasks need of optimizers.
#pragma once

#include <array>
#include <utility>

#include "data/fields.h"

namespace semblance {

/// LazyAdam's decay reaches a row with the next gradient that it has, for all the steps since the last.
/// DenseAdam is torch::optim::Adam itself. RowwiseAdagrad keeps one state value per row.
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

}  // namespace semblance
