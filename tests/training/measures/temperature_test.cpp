#include "training/measures/temperature.h"

#include <gtest/gtest.h>
#include <torch/types.h>

#include "models/losses.h"

namespace semblance {
namespace {

double loss_at(const torch::Tensor& logits, const torch::Tensor& targets, ClassificationLoss loss,
               const torch::Tensor& weights, double inverse) {
  return classification_loss(logits.to(torch::kDouble) * inverse, targets, loss,
                             weights.defined() ? weights.to(torch::kDouble) : weights)
      .total.item<double>();
}

TEST(Temperature, TheLossIsLeastThere) {
  torch::manual_seed(5);
  const auto logits = torch::randn({200, 5}) * 4;
  const auto targets = torch::randint(5, {200}, torch::kInt64);
  const auto sets = torch::rand({200, 5}).lt(0.4).to(torch::kFloat);
  const auto own = logits + 3 * at::one_hot(targets, 5);
  const auto weights = torch::rand({5});
  const auto check = [&](const torch::Tensor& z, const torch::Tensor& t, ClassificationLoss loss,
                         const torch::Tensor& w) {
    const double temperature =
        fit_temperature([&](double inverse) { return loss_slope(z, t, is_binary(loss), w, inverse); });
    const double least = loss_at(z, t, loss, w, 1 / temperature);
    EXPECT_GT(temperature, 0.011);
    EXPECT_LT(temperature, 99);
    for (const double factor : {0.5, 0.99, 1.01, 2.0})
      EXPECT_GT(loss_at(z, t, loss, w, factor / temperature), least);
  };
  check(own, targets, ClassificationLoss::CrossEntropy, {});
  check(own, targets, ClassificationLoss::CrossEntropy, weights);
  check(logits + 2 * sets, sets, ClassificationLoss::BceLogits, {});
}

TEST(Temperature, StaysWithinItsBoundsWhereNoneIsTheLeast) {
  const auto logits = torch::tensor({{1.f, 0.f}, {0.f, 1.f}});
  const auto fit = [&](std::vector<int64_t> targets) {
    return fit_temperature([&](double inverse) {
      return loss_slope(logits, torch::tensor(targets, torch::kInt64), false, {}, inverse);
    });
  };
  EXPECT_NEAR(fit({0, 1}), 0.01, 1e-3) << "always right: the surer the better";
  EXPECT_NEAR(fit({1, 0}), 100, 1) << "always wrong: the less sure the better";
}

}  // namespace
}  // namespace semblance
