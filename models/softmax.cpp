#include "models/softmax.h"

#include <torch/csrc/autograd/custom_function.h>
#include <torch/types.h>

#include <vector>

#include "models/blocks.h"
#include "models/kernel_choice.h"
#include "models/kernels.h"
#include "models/losses.h"

namespace semblance {
namespace {

// Nanoseconds of an exponential, with its share of memory.
constexpr double kExpCost = 0.3;

class SoftmaxCrossEntropy : public torch::autograd::Function<SoftmaxCrossEntropy> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& given,
                            const at::Tensor& targets, const at::Tensor& row_weights) {
    const auto logits = given.contiguous();
    const int64_t n = logits.size(0), outputs = logits.size(1);
    const auto lse = at::empty({n}, logits.options());
    for_each_block(n, kExpCost * static_cast<double>(outputs), [&](int64_t begin, int64_t end) {
      kernels::row_lse(logits.const_data_ptr<float>(), begin, end, outputs, lse.mutable_data_ptr<float>());
    });
    context->save_for_backward({logits, targets, row_weights, lse});
    double total = 0;
    for (int64_t i = 0; i < n; ++i) {
      const int64_t target = targets.const_data_ptr<int64_t>()[i];
      TORCH_CHECK(target >= 0 && target < outputs, "softmax_cross_entropy: targets must lie in [0, ", outputs,
                  ")");
      const double loss = static_cast<double>(lse.const_data_ptr<float>()[i]) -
                          static_cast<double>(logits.const_data_ptr<float>()[i * outputs + target]);
      total +=
          row_weights.numel() > 0 ? static_cast<double>(row_weights.const_data_ptr<float>()[i]) * loss : loss;
    }
    return scalar_like(total, logits);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const auto &logits = saved[0], &targets = saved[1], &row_weights = saved[2], &lse = saved[3];
    const auto factor = gradients[0].item<float>();
    const int64_t n = logits.size(0), outputs = logits.size(1);
    const auto result = at::empty_like(logits);
    for_each_block(n, kExpCost * static_cast<double>(outputs), [&](int64_t begin, int64_t end) {
      kernels::softmax_gradient(logits.const_data_ptr<float>(), targets.const_data_ptr<int64_t>(),
                                lse.const_data_ptr<float>(), factor,
                                row_weights.numel() > 0 ? row_weights.const_data_ptr<float>() : nullptr,
                                begin, end, outputs, result.mutable_data_ptr<float>());
    });
    return {result, at::Tensor(), at::Tensor()};
  }
};

}  // namespace

at::Tensor softmax_cross_entropy(const at::Tensor& logits, const at::Tensor& targets,
                                 const at::Tensor& class_weights) {
  if (!own_kernels_for(logits) || logits.scalar_type() != at::kFloat)
    return at::cross_entropy_loss(logits, targets, class_weights, at::Reduction::Sum);
  TORCH_CHECK(targets.dim() == 1 && targets.size(0) == logits.size(0) && targets.scalar_type() == at::kLong,
              "softmax_cross_entropy: targets must be int64, one a row");
  const auto row_weights =
      class_weights.defined() ? class_weights.index_select(0, targets) : at::empty({0}, logits.options());
  return SoftmaxCrossEntropy::apply(logits, targets.contiguous(), row_weights);
}

}  // namespace semblance
