#include "models/losses.h"

#include <torch/torch.h>

namespace semblance {

LossSum classification_loss(const torch::Tensor& logits, const torch::Tensor& targets, ClassificationLoss loss,
                            const torch::Tensor& class_weights) {
  const bool weighted = class_weights.defined();
  const auto constant = [&](int64_t value) { return torch::full({}, value, logits.options().requires_grad(false)); };
  if (is_binary(loss)) {
    const bool sets = targets.dim() == 2;
    TORCH_CHECK(sets ? targets.sizes() == logits.sizes() && !weighted : logits.size(1) == 1,
                "classification_loss: a binary loss takes one logit a text, or as many as the targets");
    const auto goal = sets ? targets : targets.to(logits.dtype()).unsqueeze(1);
    torch::Tensor factors;
    if (weighted) factors = class_weights.index_select(0, targets).unsqueeze(1);
    const auto total = loss == ClassificationLoss::Bce
                           ? at::binary_cross_entropy(torch::sigmoid(logits), goal, factors, at::Reduction::Sum)
                           : at::binary_cross_entropy_with_logits(logits, goal, factors, {}, at::Reduction::Sum);
    return {total, weighted ? factors.sum() : constant(logits.numel())};
  }
  TORCH_CHECK(targets.dim() == 1, "classification_loss: a softmax loss takes class numbers");
  const auto total = loss == ClassificationLoss::CrossEntropy
                         ? at::cross_entropy_loss(logits, targets, class_weights, at::Reduction::Sum)
                         : at::nll_loss(torch::log_softmax(logits, 1), targets, class_weights, at::Reduction::Sum);
  return {total, weighted ? class_weights.index_select(0, targets).sum() : constant(logits.size(0))};
}

torch::Tensor class_probabilities(const torch::Tensor& logits, ClassificationLoss loss) {
  return is_binary(loss) ? torch::sigmoid(logits) : torch::softmax(logits, 1);
}

}  // namespace semblance
