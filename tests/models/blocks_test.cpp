#include "models/blocks.h"

#include <gtest/gtest.h>
#include <torch/types.h>

namespace semblance {
namespace {

struct Gradients {
  torch::Tensor out, x, weight, bias;
};

template <class Linear>
Gradients gradients_of(Linear by, int64_t batch, int64_t in, int64_t outputs) {
  torch::manual_seed(1);
  auto x = torch::randn({batch, in}).requires_grad_(), weight = torch::randn({outputs, in}).requires_grad_(),
       bias = torch::randn({outputs}).requires_grad_();
  const auto out = by(x, weight, bias);
  out.backward(torch::randn_like(out));
  return {out.detach(), x.grad(), weight.grad(), bias.grad()};
}

class Sizes : public testing::TestWithParam<std::array<int64_t, 3>> {};

TEST_P(Sizes, LinearEqualsLibTorchsAndIsTheSameBitsForAnyNumberOfThreads) {
  const auto [batch, in, outputs] = GetParam();
  const auto plain = gradients_of([](auto... p) { return at::linear(p...); }, batch, in, outputs);
  const int before = compute_threads();
  std::vector<Gradients> ours;
  for (const int threads : {1, 2, 4}) {
    set_compute_threads(threads);
    ours.push_back(gradients_of(linear, batch, in, outputs));
  }
  set_compute_threads(before);
  for (const auto& [out, x, weight, bias] : ours) {
    EXPECT_TRUE(torch::allclose(out, plain.out, 1e-4, 1e-3));
    EXPECT_TRUE(torch::allclose(x, plain.x, 1e-4, 1e-3));
    EXPECT_TRUE(torch::allclose(weight, plain.weight, 1e-4, 1e-3));
    EXPECT_TRUE(torch::allclose(bias, plain.bias, 1e-4, 1e-3));
    EXPECT_TRUE(torch::equal(out, ours[0].out) && torch::equal(x, ours[0].x) &&
                torch::equal(weight, ours[0].weight) && torch::equal(bias, ours[0].bias));
  }
}

INSTANTIATE_TEST_SUITE_P(Linear, Sizes,
                         testing::Values(std::array<int64_t, 3>{1, 1, 1}, std::array<int64_t, 3>{5, 3, 2},
                                         std::array<int64_t, 3>{300, 24, 12},
                                         std::array<int64_t, 3>{2000, 700, 1},
                                         std::array<int64_t, 3>{1, 3000, 1000}));

TEST(SumOfSquares, IsThatOfAllEntries) {
  torch::manual_seed(2);
  const auto values = torch::randn({100003});
  EXPECT_NEAR(sum_of_squares(values).item<double>(), values.to(torch::kDouble).square().sum().item<double>(),
              1e-6);
}

}  // namespace
}  // namespace semblance
