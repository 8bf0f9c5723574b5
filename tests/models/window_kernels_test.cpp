#include "models/window_kernels.h"

#include <gtest/gtest.h>

#include <vector>

#include <ATen/ATen.h>
#include <torch/types.h>

namespace semblance {
namespace {

constexpr int64_t kContexts = 7, kDim = 20, kFloats = 24;
constexpr float kRate = 0.1f;

// Rows of kDim numbers, each with room up to kFloats that is zero.
torch::Tensor padded_rows(int64_t count, int64_t seed) {
  torch::manual_seed(static_cast<uint64_t>(seed));
  auto rows = torch::zeros({count, kFloats});
  rows.narrow(1, 0, kDim).normal_(0, 0.5);
  return rows;
}

std::vector<float*> pointers(torch::Tensor& rows) {
  std::vector<float*> all;
  for (int64_t i = 0; i < rows.size(0); ++i) all.push_back(rows.mutable_data_ptr<float>() + i * kFloats);
  return all;
}

// Formula 4 of Mikolov et al. as LibTorch computes it; the first output is the centre.
torch::Tensor plain_loss(const torch::Tensor& predictors, const torch::Tensor& outputs) {
  auto signs = -torch::ones({outputs.size(0)});
  signs[0] = 1;
  return -torch::log_sigmoid(predictors.mm(outputs.t()) * signs).sum();
}

class WindowKernels : public testing::TestWithParam<int64_t> {};

TEST_P(WindowKernels, SkipGramStepIsThatOfTheGradient) {
  auto contexts = padded_rows(kContexts, 1), outputs = padded_rows(GetParam(), 2);
  auto c = contexts.clone().requires_grad_(), o = outputs.clone().requires_grad_();
  const auto loss = plain_loss(c, o);
  loss.backward();

  auto context_rows = pointers(contexts), output_rows = pointers(outputs);
  const double stepped = kernels::skip_gram_step(
      {context_rows.data(), kContexts, output_rows.data(), GetParam(), kFloats, nullptr}, kRate);
  if (GetParam() <= 6) {  // more are taken six by six, each on what those before left
    EXPECT_NEAR(stepped, loss.item<double>(), 1e-4);
    EXPECT_TRUE(torch::allclose(contexts, c.detach() - kRate * c.grad(), 1e-5, 1e-6));
  }
  const auto first = std::min<int64_t>(GetParam(), 6);
  EXPECT_TRUE(torch::allclose(outputs.narrow(0, 0, first),
                              (o.detach() - kRate * o.grad()).narrow(0, 0, first), 1e-5, 1e-6));
  EXPECT_TRUE(contexts.narrow(1, kDim, kFloats - kDim).eq(0).all().item<bool>());
}

TEST_P(WindowKernels, CbowStepIsThatOfTheGradientBySumOfContexts) {
  auto contexts = padded_rows(kContexts, 3), outputs = padded_rows(GetParam(), 4);
  auto mean = contexts.mean(0, /*keepdim=*/true).requires_grad_(), o = outputs.clone().requires_grad_();
  const auto loss = plain_loss(mean, o);
  loss.backward();
  const auto expected = contexts - kRate * mean.grad();

  auto context_rows = pointers(contexts), output_rows = pointers(outputs);
  auto scratch = torch::empty({2 * kFloats});
  const double stepped = kernels::cbow_step({context_rows.data(), kContexts, output_rows.data(), GetParam(),
                                             kFloats, scratch.mutable_data_ptr<float>()},
                                            kRate);
  EXPECT_NEAR(stepped, loss.item<double>(), 1e-4);
  EXPECT_TRUE(torch::allclose(contexts, expected, 1e-5, 1e-6));
  EXPECT_TRUE(torch::allclose(outputs, o.detach() - kRate * o.grad(), 1e-5, 1e-6));
}

INSTANTIATE_TEST_SUITE_P(Outputs, WindowKernels, testing::Values(1, 2, 3, 4, 5, 6, 8, 17));

TEST(WindowKernels, ANumberThatIsNotFiniteShowsInTheLoss) {
  auto contexts = padded_rows(2, 5), outputs = padded_rows(3, 6);
  contexts[0][3] = NAN;
  auto context_rows = pointers(contexts), output_rows = pointers(outputs);
  EXPECT_TRUE(std::isnan(
      kernels::skip_gram_step({context_rows.data(), 2, output_rows.data(), 3, kFloats, nullptr}, kRate)));
}

}  // namespace
}  // namespace semblance
