#include "models/softmax.h"

#include <gtest/gtest.h>
#include <torch/types.h>

#include <limits>

#include "models/losses.h"
#include "models/parallel.h"

namespace semblance {
namespace {

struct Outcome {
  double total;
  torch::Tensor gradient;
};

template <class Loss>
Outcome outcome(const torch::Tensor& logits, Loss&& loss) {
  const auto leaf = logits.clone().requires_grad_(true);
  const torch::Tensor total = loss(leaf);
  total.mul(0.25).backward();
  return {total.item<double>(), leaf.grad()};
}

TEST(SoftmaxCrossEntropy, IsLibTorchs) {
  torch::manual_seed(1);
  for (const int64_t outputs : {1, 2, 15, 16, 17, 300}) {
    const auto logits = torch::randn({37, outputs}) * 20;
    const auto targets = torch::randint(outputs, {37}, torch::kInt64);
    for (const auto& weights : {torch::Tensor(), torch::rand({outputs})}) {
      const auto ours = outcome(logits, [&](auto& z) { return softmax_cross_entropy(z, targets, weights); });
      const auto theirs = outcome(
          logits, [&](auto& z) { return at::cross_entropy_loss(z, targets, weights, at::Reduction::Sum); });
      EXPECT_NEAR(ours.total, theirs.total, 1e-5 * std::max(1.0, theirs.total));
      EXPECT_TRUE(torch::allclose(ours.gradient, theirs.gradient, 1e-5, 1e-6)) << outputs;
    }
  }
}

TEST(SoftmaxCrossEntropy, DoesNotDependOnTheNumberOfThreads) {
  torch::manual_seed(2);
  const auto logits = torch::randn({200, 3000});
  const auto targets = torch::randint(3000, {200}, torch::kInt64);
  const auto with = [&](int threads) {
    set_compute_threads(threads);
    return outcome(logits, [&](auto& z) { return softmax_cross_entropy(z, targets); });
  };
  const auto one = with(1), four = with(4);
  set_compute_threads(1);
  EXPECT_EQ(one.total, four.total);
  EXPECT_TRUE(torch::equal(one.gradient, four.gradient));
}

TEST(SoftmaxCrossEntropy, RefusesATargetThatIsNoOutput) {
  EXPECT_THROW(softmax_cross_entropy(torch::zeros({1, 3}), torch::tensor({3}, torch::kInt64)), c10::Error);
}

TEST(SoftmaxCrossEntropy, OfNumbersThatAreNoneIsNone) {
  const auto nan = std::numeric_limits<float>::quiet_NaN();
  const auto loss = softmax_cross_entropy(torch::full({1, 3}, nan), torch::tensor({1}, torch::kInt64));
  EXPECT_TRUE(std::isnan(loss.item<double>()));
}

// log Σ exp over an own class and what was drawn, each by its chance, written out.
TEST(SampledLoss, IsThePlainFormula) {
  torch::manual_seed(3);
  const auto logits = torch::randn({4, 6}), chance = torch::rand({6}) * 0.9 + 0.05;
  const auto places = torch::tensor({0, 5, 2, 2}, torch::kInt64);
  auto log_chance = chance.log();
  log_chance[5] = std::numeric_limits<float>::infinity();  // there as an own class alone
  const auto plain = [&](const torch::Tensor& z) {
    auto total = torch::zeros({});
    for (int64_t i = 0; i < 4; ++i) {
      const auto own = places[i].item<int64_t>();
      auto sum = z[i][own].exp();
      for (int64_t c = 0; c < 5; ++c)
        if (c != own) sum = sum + z[i][c].exp() / chance[c];
      total = total + sum.log() - z[i][own];
    }
    return total;
  };
  const auto ours = outcome(logits, [&](auto& z) { return sampled_loss(z, places, log_chance).total; });
  const auto theirs = outcome(logits, plain);
  EXPECT_NEAR(ours.total, theirs.total, 1e-5);
  EXPECT_TRUE(torch::allclose(ours.gradient, theirs.gradient, 1e-5, 1e-6));
}

TEST(SampledLoss, OfAllClassesForCertainIsCrossEntropy) {
  torch::manual_seed(4);
  const auto logits = torch::randn({5, 7});
  const auto places = torch::tensor({0, 6, 3, 3, 1}, torch::kInt64);
  const auto weights = torch::rand({7});
  const auto sampled = sampled_loss(logits, places, torch::zeros({7}), weights);
  const auto whole = classification_loss(logits, places, ClassificationLoss::CrossEntropy, weights);
  EXPECT_NEAR(sampled.mean().item<double>(), whole.mean().item<double>(), 1e-6);
}

}  // namespace
}  // namespace semblance
