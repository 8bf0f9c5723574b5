#include "models/losses.h"

#include <gtest/gtest.h>
#include <torch/types.h>

#include <cmath>
#include <tuple>

#include "models/activation.h"
#include "models/kernel_choice.h"

namespace semblance {
namespace {

double mean(const LossSum& loss) {
  return loss.mean().item<double>();
}
torch::Tensor classes(std::vector<int64_t> values) {
  return torch::tensor(values, torch::kInt64);
}

TEST(Losses, CrossEntropyAndNllOfALectureExample) {
  const auto logits = torch::tensor({{2.4f, 1.9f, 7.3f}, {9.5f, 2.7f, 4.0f}, {5.7f, 4.1f, 0.2f}});
  EXPECT_NEAR(mean(classification_loss(logits, classes({2, 0, 1}), ClassificationLoss::CrossEntropy)),
              0.6014581, 1e-6);
  EXPECT_NEAR(mean(classification_loss(logits, classes({2, 0, 1}), ClassificationLoss::Nll)), 0.6014581,
              1e-6);
}

TEST(Losses, CosinesAreFittedToScores) {
  const auto a = torch::tensor({{1.f, 0.f}, {0.f, 1.f}, {1.f, 1.f}}).requires_grad_(true);
  const auto b = torch::tensor({{2.f, 0.f}, {1.f, 1.f}, {0.f, 3.f}});
  const auto loss = cosine_loss(a, b, torch::tensor({1.f, 0.25f, -0.5f}));
  EXPECT_NEAR(mean(loss), 0.5553511, 1e-6);  // by torch 2.13 in Python
  loss.mean().backward();
  EXPECT_NEAR(a.grad()[0].abs().max().item<double>(), 0, 1e-6) << "as near as it is to be";
  EXPECT_TRUE(torch::isfinite(cosine_loss(torch::zeros({1, 2}), torch::ones({1, 2}), torch::ones({1})).total)
                  .item<bool>());
}

TEST(Losses, ClassWeightsMakeAWeightedMean) {
  const auto logits = torch::tensor({{30.f, 2.f}, {30.f, 2.f}});
  const auto with = [&](torch::Tensor weights) {
    return mean(classification_loss(logits, classes({0, 1}), ClassificationLoss::CrossEntropy, weights));
  };
  EXPECT_NEAR(with({}), 14.0, 1e-5);
  EXPECT_NEAR(with(torch::tensor({0.2f, 0.8f})), 22.4, 1e-5);
  EXPECT_NEAR(with(torch::tensor({1.f, 4.f})), 22.4, 1e-5);
}

TEST(Losses, BinaryLossesAgreeAndEqualTheTwoClassCrossEntropy) {
  const auto logit = torch::tensor({{0.3f}, {-2.0f}, {1.5f}});
  const auto two = torch::cat({torch::zeros({3, 1}), logit}, 1);
  const auto goal = classes({1, 0, 0});
  const double expected = mean(classification_loss(two, goal, ClassificationLoss::CrossEntropy));
  EXPECT_NEAR(mean(classification_loss(logit, goal, ClassificationLoss::Bce)), expected, 1e-6);
  EXPECT_NEAR(mean(classification_loss(logit, goal, ClassificationLoss::BceLogits)), expected, 1e-6);
  const auto weights = torch::tensor({1.f, 3.f});
  EXPECT_NEAR(mean(classification_loss(logit, goal, ClassificationLoss::BceLogits, weights)),
              mean(classification_loss(two, goal, ClassificationLoss::CrossEntropy, weights)), 1e-6);
}

TEST(Losses, BceFromLogitsStaysExactWhereTheSigmoidSaturates) {
  EXPECT_NEAR(
      mean(classification_loss(torch::tensor({{200.f}}), classes({0}), ClassificationLoss::BceLogits)), 200,
      1e-4);
}

TEST(Losses, MultiLabelTextsAreTakenOutputByOutput) {
  const auto logits = torch::tensor({{2.f, -1.f, 0.f}});
  const auto loss =
      classification_loss(logits, torch::tensor({{1.f, 0.f, 1.f}}), ClassificationLoss::BceLogits);
  EXPECT_NEAR(mean(loss), (std::log1p(std::exp(-2)) + std::log1p(std::exp(-1)) + std::log(2)) / 3, 1e-6);
  EXPECT_EQ(loss.weight.item<float>(), 3);
}

// The CPU's own losses and gradients are those of LibTorch's operators.
TEST(Losses, BinaryLossesEqualLibTorchs) {
  const auto logits = torch::tensor({{0.3f, -2.0f}, {1.5f, 0.0f}, {-30.0f, 30.0f}, {-120.0f, 120.0f}});
  const auto sets = torch::tensor({{1.0f, 0.0f}, {0.0f, 1.0f}, {1.0f, 1.0f}, {0.0f, 0.0f}});
  const auto run = [&](KernelChoice kernels, ClassificationLoss kind, bool multi_label) {
    choose_kernels(kernels);
    const auto x = (multi_label ? logits : logits.narrow(1, 0, 1).contiguous()).clone().requires_grad_();
    const auto loss = multi_label
                          ? classification_loss(x, sets, kind)
                          : classification_loss(x, classes({1, 0, 0, 1}), kind, torch::tensor({1.0f, 3.0f}));
    backward(loss, 0.5);
    choose_kernels(KernelChoice::Own);
    return std::tuple(mean(loss), loss.weight.item<float>(), x.grad());
  };
  for (const auto kind : {ClassificationLoss::Bce, ClassificationLoss::BceLogits})
    for (const bool multi_label : {false, true}) {
      const auto [value, weight, gradient] = run(KernelChoice::Own, kind, multi_label);
      const auto [plain, plain_weight, plain_gradient] = run(KernelChoice::LibTorch, kind, multi_label);
      EXPECT_NEAR(value, plain, 1e-6 * plain);
      EXPECT_EQ(weight, plain_weight);
      EXPECT_TRUE(torch::allclose(gradient, plain_gradient, 1e-5, 1e-7)) << gradient << plain_gradient;
    }
}

// So that a training that diverges is told as one.
TEST(Losses, WhatNoFloatHoldsIsInfiniteAndNoError) {
  const auto large = torch::full({3, 2}, 3e38f), target = torch::zeros({3, 2});
  const auto is_infinite = [](const LossSum& loss) { return std::isinf(loss.total.item<float>()); };
  EXPECT_TRUE(is_infinite(squared_error(large, target)));
  EXPECT_TRUE(is_infinite(classification_loss(large, target, ClassificationLoss::BceLogits)));
  const auto apart = torch::tensor({{3e38f, 0.0f}}).repeat({3, 1});
  EXPECT_TRUE(is_infinite(classification_loss(apart, classes({1, 1, 1}), ClassificationLoss::CrossEntropy)));
}

TEST(Losses, GradientsAreOfAShareOfTheMean) {
  const auto x = torch::tensor({{1.0f, 2.0f}}).requires_grad_(), same = x.detach().clone().requires_grad_();
  const auto target = torch::zeros({1, 2});
  backward(squared_error(x, target), 0.25);
  squared_error(same, target).mean().mul(0.25).backward();
  EXPECT_TRUE(torch::allclose(x.grad(), same.grad(), 1e-6, 0));
}

TEST(Losses, RefuseTargetsThatDoNotFit) {
  for (const auto loss : {ClassificationLoss::Bce, ClassificationLoss::BceLogits})
    EXPECT_THROW(classification_loss(torch::zeros({3, 1}), classes({0, 1}), loss), c10::Error)
        << "one too few";
  EXPECT_THROW(classification_loss(torch::zeros({2, 3}), classes({0, 1}), ClassificationLoss::Bce),
               c10::Error);
  EXPECT_THROW(
      classification_loss(torch::zeros({2, 3}), torch::zeros({2, 3}), ClassificationLoss::CrossEntropy),
      c10::Error);
}

TEST(Losses, SquaredErrorIsTorchsMseLoss) {
  torch::manual_seed(2);
  const auto target = torch::randn({5, 7});
  const auto ours = torch::randn({5, 7}).requires_grad_(), theirs = ours.detach().clone().requires_grad_();
  const auto loss = squared_error(ours, target);
  const auto expected = torch::mse_loss(theirs, target);
  EXPECT_EQ(loss.weight.item<float>(), 35) << "numbers, not rows";
  EXPECT_NEAR(mean(loss), expected.item<double>(), 1e-5);  // 35 squares, added in another order
  loss.mean().backward();
  expected.backward();
  EXPECT_TRUE(torch::allclose(ours.grad(), theirs.grad(), 1e-5, 1e-7));
  EXPECT_NEAR(mean(squared_error(torch::tensor({{1.f, 2.f}}), torch::tensor({{4.f, 2.f}}))), 4.5, 1e-6);
  EXPECT_THROW(squared_error(ours, target.slice(0, 0, 1)), c10::Error) << "nothing is broadcast";
}

TEST(Activation, KnownValues) {
  const auto x = torch::tensor({-2.0f, 0.0f, 1.0f});
  const auto expect = [&](Activation activation, std::vector<float> values) {
    EXPECT_TRUE(torch::allclose(activate(x, activation, 0.1), torch::tensor(values), 1e-4, 1e-5))
        << static_cast<int>(activation);
  };
  expect(Activation::Relu, {0, 0, 1});
  expect(Activation::LeakyRelu, {-0.2f, 0, 1});
  expect(Activation::Tanh, {-0.9640276f, 0, 0.7615942f});
  expect(Activation::Sigmoid, {0.1192029f, 0.5f, 0.7310586f});
  expect(Activation::Gelu, {-0.0455003f, 0, 0.8413447f});
  expect(Activation::GeluTanh, {-0.0454023f, 0, 0.8411920f});
}

TEST(Activation, ANeuronsValueAndGradient) {
  const auto w = torch::tensor({2.0f, -3.0f, -3.0f}).requires_grad_(),
             x = torch::tensor({-1.0f, -2.0f, 1.0f});
  const auto y = activate((w * x).sum(), Activation::Sigmoid, 0);
  EXPECT_NEAR(y.item<float>(), 0.7310586, 1e-6);
  y.backward();
  EXPECT_TRUE(torch::allclose(w.grad(), torch::tensor({-0.1966f, -0.3932f, 0.1966f}), 1e-3, 1e-4));
}

}  // namespace
}  // namespace semblance
