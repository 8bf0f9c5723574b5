#include "models/losses.h"

#include <ATen/Functions.h>
#include <c10/util/Exception.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>
#include <vector>

#include "models/blocks.h"
#include "models/kernel_choice.h"
#include "models/kernels.h"
#include "models/softmax.h"

namespace semblance {
namespace {

// Of rows, each summed by itself.
class SquaredError : public torch::autograd::Function<SquaredError> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& output,
                            const at::Tensor& target) {
    const int64_t rows = output.size(0), dim = output.numel() / std::max<int64_t>(rows, 1);
    const auto differences = at::empty_like(output);
    std::vector<float> sums(static_cast<size_t>(rows));
    for_each_block(rows, 0.2 * static_cast<double>(dim), [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r)
        sums[static_cast<size_t>(r)] = kernels::squared_differences(
            output.const_data_ptr<float>() + r * dim, target.const_data_ptr<float>() + r * dim, dim,
            differences.mutable_data_ptr<float>() + r * dim);
    });
    context->save_for_backward({differences});
    double total = 0;
    for (const float sum : sums) total += static_cast<double>(sum);
    return scalar_like(total, output);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    return {context->get_saved_variables()[0].mul(2 * gradients[0].item<double>()), at::Tensor()};
  }
};

// What a logit contributes to the loss, and its gradient by the logit.
struct BinaryLoss {
  float loss, gradient;
};

// As LibTorch has it: logarithms no lower than -100, and where the sigmoid has become 0 or 1 no gradient.
BinaryLoss binary_cross_entropy(float logit, float goal) {
  const float p = 1 / (1 + std::exp(-logit));
  const float of_one = goal == 0 ? 0 : goal * std::max(std::log(p), -100.0f);
  const float of_zero = goal == 1 ? 0 : (1 - goal) * std::max(std::log1p(-p), -100.0f);
  return {-of_one - of_zero, (p - goal) / std::max((1 - p) * p, 1e-12f) * (1 - p) * p};
}

// softplus(x) for a 0, softplus(-x) for a 1.
BinaryLoss binary_cross_entropy_of_logits(float logit, float goal) {
  constexpr float kLinear = 20;
  const float sign = 1 - 2 * goal, x = logit * sign;
  if (x > kLinear) return {x, sign};
  const float e = std::exp(x);
  return {std::log1p(e), sign * e / (e + 1)};
}

// Of rows of outputs: goals [rows] or [rows, outputs], factors [rows] or undefined.
class BinaryLosses : public torch::autograd::Function<BinaryLosses> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& logits,
                            const at::Tensor& goals, const std::optional<at::Tensor>& factors,
                            bool of_logits) {
    const int64_t rows = logits.size(0), outputs = logits.size(1);
    const auto gradient = at::empty_like(logits);
    std::vector<double> sums(static_cast<size_t>(rows));
    const bool classes = goals.scalar_type() == at::kLong;
    const auto loss_of = of_logits ? binary_cross_entropy_of_logits : binary_cross_entropy;
    constexpr double kCost = 10;  // nanoseconds a logit
    for_each_block(rows, kCost * static_cast<double>(outputs), [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r) {
        const float factor = factors ? factors->const_data_ptr<float>()[r] : 1;
        for (int64_t i = r * outputs; i < (r + 1) * outputs; ++i) {
          const float goal = classes ? static_cast<float>(goals.const_data_ptr<int64_t>()[i])
                                     : goals.const_data_ptr<float>()[i];
          const auto [loss, by_logit] = loss_of(logits.const_data_ptr<float>()[i], goal);
          sums[static_cast<size_t>(r)] += static_cast<double>(factor * loss);
          gradient.mutable_data_ptr<float>()[i] = factor * by_logit;
        }
      }
    });
    context->save_for_backward({gradient});
    return scalar_like(std::accumulate(sums.begin(), sums.end(), 0.0), logits);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    return {context->get_saved_variables()[0].mul(gradients[0]), at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

}  // namespace

LossSum classification_loss(const at::Tensor& logits, const at::Tensor& targets, ClassificationLoss loss,
                            const at::Tensor& class_weights) {
  const bool weighted = class_weights.defined();
  if (is_binary(loss)) {
    const bool sets = targets.dim() == 2;
    TORCH_CHECK(sets ? targets.sizes() == logits.sizes() && !weighted
                     : logits.size(1) == 1 && targets.size(0) == logits.size(0),
                "classification_loss: a binary loss takes one logit a text, or as many as the targets");
    at::Tensor factors;
    if (weighted) factors = class_weights.index_select(0, targets).unsqueeze(1);
    if (own_kernels_for(logits) && logits.scalar_type() == at::kFloat)
      return {BinaryLosses::apply(logits.contiguous(), targets.contiguous(),
                                  weighted ? std::optional(factors) : std::nullopt,
                                  loss == ClassificationLoss::BceLogits),
              weighted ? factors.sum() : scalar_like(static_cast<double>(logits.numel()), logits)};
    const auto goal = sets ? targets : targets.to(logits.dtype()).unsqueeze(1);
    if (loss == ClassificationLoss::Bce)
      return {at::binary_cross_entropy(at::sigmoid(logits), goal, factors, at::Reduction::Sum),
              weighted ? factors.sum() : scalar_like(static_cast<double>(logits.numel()), logits)};
    // softplus(x) for a 0, softplus(-x) for a 1. LibTorch's own operator goes through log_sigmoid, which
    // wakes every thread for however few numbers.
    const auto losses = at::softplus(logits * (1 - 2 * goal));
    const auto total = weighted ? (losses * factors).sum() : losses.sum();
    return {total, weighted ? factors.sum() : scalar_like(static_cast<double>(logits.numel()), logits)};
  }
  TORCH_CHECK(targets.dim() == 1, "classification_loss: a softmax loss takes class numbers");
  const auto total = loss == ClassificationLoss::Nll ? at::nll_loss(at::log_softmax(logits, 1), targets,
                                                                    class_weights, at::Reduction::Sum)
                                                     : softmax_cross_entropy(logits, targets, class_weights);
  return {total, weighted ? class_weights.index_select(0, targets).sum()
                          : scalar_like(static_cast<double>(logits.size(0)), logits)};
}

LossSum sampled_loss(const at::Tensor& logits, const at::Tensor& places, const at::Tensor& log_chance,
                     const at::Tensor& class_weights) {
  TORCH_CHECK(places.dim() == 1 && places.size(0) == logits.size(0) && log_chance.dim() == 1 &&
                  log_chance.size(0) == logits.size(1),
              "sampled_loss: one place a text, and one chance a candidate");
  // What is subtracted of each logit, but of the own class's.
  const auto correction = log_chance.unsqueeze(0).repeat({logits.size(0), 1});
  correction.scatter_(1, places.unsqueeze(1), 0);
  return classification_loss(logits - correction, places, ClassificationLoss::CrossEntropy, class_weights);
}

at::Tensor scalar_like(double value, const at::Tensor& like) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity(),
                   kLargest = static_cast<double>(std::numeric_limits<float>::max());
  if (like.scalar_type() == at::kFloat && std::abs(value) > kLargest) value = std::copysign(kInfinity, value);
  return at::full({}, value, like.options().requires_grad(false));
}

void backward(const LossSum& loss, double share) {
  torch::autograd::backward({loss.total}, {at::full({}, share, loss.weight.options()).div_(loss.weight)});
}

at::Tensor normalised_rows(const at::Tensor& rows) {
  return rows / at::norm(rows, 2, {1}, /*keepdim=*/true).clamp_min(kSmallestNorm);
}

LossSum cosine_loss(const at::Tensor& a, const at::Tensor& b, const at::Tensor& targets) {
  TORCH_CHECK(a.sizes() == b.sizes() && targets.dim() == 1 && targets.size(0) == a.size(0),
              "cosine_loss: a and b must be of one shape, targets one a row");
  const auto cosines = (normalised_rows(a) * normalised_rows(b)).sum(1);
  return {(cosines - targets).square().sum(), scalar_like(static_cast<double>(a.size(0)), a)};
}

LossSum squared_error(const at::Tensor& output, const at::Tensor& target) {
  TORCH_CHECK(output.sizes() == target.sizes(), "squared_error: output and target must be of one shape");
  if (own_kernels_for(output) && output.scalar_type() == at::kFloat && target.scalar_type() == at::kFloat)
    return {SquaredError::apply(output.contiguous(), target.contiguous()),
            scalar_like(static_cast<double>(output.numel()), output)};
  return {at::mse_loss(output, target, at::Reduction::None).sum(1).sum(),
          scalar_like(static_cast<double>(output.numel()), output)};
}

at::Tensor class_probabilities(const at::Tensor& logits, ClassificationLoss loss) {
  return is_binary(loss) ? at::sigmoid(logits) : at::softmax(logits, 1);
}

}  // namespace semblance
