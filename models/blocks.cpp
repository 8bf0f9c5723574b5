#include "models/blocks.h"

#include <torch/csrc/autograd/custom_function.h>
#include <torch/types.h>

#include <vector>

#include "models/kernel_choice.h"
#include "models/kernels.h"

namespace semblance {
namespace {

// As multiply_into. With few numbers in the right matrix, or few multiplications, an operator's calls cost
// more than the product.
void multiply_layer_into(const at::Tensor& out, const at::Tensor& a, const at::Tensor& b) {
  constexpr int64_t kSmallMatrix = 2048, kFewProducts = 1 << 14;
  const bool small = b.numel() <= kSmallMatrix || a.size(0) * b.numel() <= kFewProducts;
  if (!small || a.scalar_type() != at::kFloat || b.scalar_type() != at::kFloat)
    return multiply_into(out, a, b);
  const auto right = b.contiguous();
  for_each_shared_block(a.size(0), product_cost(a.size(1), b.size(1)), {out},
                        [&](int64_t begin, int64_t end) {
                          kernels::small_product(a.const_data_ptr<float>(), a.stride(0), a.stride(1),
                                                 right.const_data_ptr<float>(), begin, end, a.size(1),
                                                 b.size(1), out.mutable_data_ptr<float>());
                        });
}

class LinearFunction : public torch::autograd::Function<LinearFunction> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x,
                            const at::Tensor& weight, const at::Tensor& bias) {
    context->save_for_backward({x, weight});
    auto out = at::empty({x.size(0), weight.size(0)}, x.options());
    multiply_layer_into(out, x, weight.t());
    return out.add_(bias);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const auto &x = saved[0], &weight = saved[1];
    const auto gradient = gradients[0].contiguous();
    at::Tensor by_x;
    if (context->needs_input_grad(0)) {
      by_x = at::empty_like(x);
      multiply_layer_into(by_x, gradient, weight);
    }
    const auto by_weight = at::empty_like(weight);
    multiply_layer_into(by_weight, gradient.t(), x);
    at::Tensor by_bias;
    if (context->needs_input_grad(2)) {
      by_bias = at::empty({weight.size(0)}, gradient.options());
      kernels::column_sums(gradient.const_data_ptr<float>(), gradient.size(0), gradient.size(1),
                           by_bias.mutable_data_ptr<float>());
    }
    return {by_x, by_weight, by_bias};
  }
};

}  // namespace

void multiply_rows(const at::Tensor& a, const at::Tensor& b, int64_t begin, int64_t end,
                   const at::Tensor& out) {
  const at::AutoDispatchBelowADInplaceOrView no_autograd;
  auto block = out.narrow(0, begin, end - begin);
  at::mm_out(block, a.narrow(0, begin, end - begin), b);
}

void multiply_into(const at::Tensor& out, const at::Tensor& a, const at::Tensor& b) {
  if (a.size(0) > 1)
    return for_each_shared_block(a.size(0), product_cost(a.size(1), b.size(1)), {out},
                                 [&](int64_t begin, int64_t end) { multiply_rows(a, b, begin, end, out); });
  for_each_block(b.size(1), product_cost(a.size(1), a.size(0)), [&](int64_t begin, int64_t end) {
    const at::AutoDispatchBelowADInplaceOrView no_autograd;
    auto block = out.narrow(1, begin, end - begin);
    at::mm_out(block, a, b.narrow(1, begin, end - begin));
  });
}

at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  return own_kernels_for(x) ? LinearFunction::apply(x.contiguous(), weight, bias)
                            : at::linear(x, weight, bias);
}

at::Tensor sum_of_squares(const at::Tensor& tensor) {
  if (!own_kernels_for(tensor)) return tensor.to(at::kDouble).square().sum();
  constexpr int64_t kBlock = int64_t{1} << 14;
  const int64_t size = tensor.numel(), blocks = (size + kBlock - 1) / kBlock;
  std::vector<double> sums(static_cast<size_t>(blocks));
  const float* values = tensor.const_data_ptr<float>();
  parallel_for(blocks, 0.1 * kBlock, [&](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i)
      sums[static_cast<size_t>(i)] =
          kernels::sum_of_squares(values + i * kBlock, std::min(kBlock, size - i * kBlock));
  });
  double total = 0;
  for (const double sum : sums) total += sum;
  return at::full({}, total, at::kDouble);
}

}  // namespace semblance
