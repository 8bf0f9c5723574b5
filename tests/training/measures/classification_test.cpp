#include "training/measures/classification.h"

#include <gtest/gtest.h>
#include <torch/types.h>

namespace semblance {
namespace {

// Values as scikit-learn 1.7 gives them for the same labels.
TEST(ClassificationMetrics, ThreeClasses) {
  ClassificationMetrics metrics({"a", "b", "c"}, false);
  const std::vector<int64_t> truth = {0, 0, 0, 1, 1, 2}, guess = {0, 0, 1, 1, 2, 2};
  for (size_t i = 0; i < truth.size(); ++i) {  // one by one: batches of any size give the same
    auto logits = torch::zeros({1, 3});
    logits[0][guess[i]] = 5;
    const auto target = torch::tensor({truth[i]}, torch::kInt64);
    metrics.add(logits, target, classification_loss(logits, target, ClassificationLoss::CrossEntropy));
  }
  const auto result = metrics.result();
  EXPECT_NEAR(result.value("accuracy"), 4.0 / 6, 1e-12);
  EXPECT_NEAR(result.value("macro_f1"), (0.8 + 0.5 + 2.0 / 3) / 3, 1e-12);
  EXPECT_NEAR(result.value("micro_f1"), 4.0 / 6, 1e-12);
  EXPECT_EQ(result.details["confusion"], Json::parse("[[2,1,0],[0,1,1],[0,0,1]]"));
  EXPECT_EQ(result.details["per_class"][0]["label"], "a");
  EXPECT_EQ(result.details["per_class"][0]["precision"], 1.0);
  EXPECT_NEAR(result.details["per_class"][0]["recall"].get<double>(), 2.0 / 3, 1e-12);
}

TEST(ClassificationMetrics, LossIsTheMeanOverExamplesNotOverBatches) {
  ClassificationMetrics metrics({"no", "yes"}, false);
  const auto add = [&](const torch::Tensor& logits, const torch::Tensor& target) {
    metrics.add(logits, target, classification_loss(logits, target, ClassificationLoss::BceLogits));
  };
  const auto logits = torch::tensor({{0.5f}, {-1.0f}, {2.0f}});
  const auto target = torch::tensor({1, 0, 0}, torch::kInt64);
  add(logits.slice(0, 0, 2), target.slice(0, 0, 2));
  add(logits.slice(0, 2), target.slice(0, 2));
  EXPECT_NEAR(metrics.result().value("loss"),
              classification_loss(logits, target, ClassificationLoss::BceLogits).mean().item<double>(), 1e-6);
}

TEST(RocAuc, CountsTiesHalf) {
  EXPECT_DOUBLE_EQ(roc_auc({0.1f, 0.4f, 0.35f, 0.8f}, {0, 0, 1, 1}), 0.75);
  EXPECT_DOUBLE_EQ(roc_auc({0.5f, 0.5f, 0.5f}, {0, 1, 1}), 0.5);
  EXPECT_DOUBLE_EQ(roc_auc({3, 2, 1}, {1, 1, 0}), 1.0);
  EXPECT_TRUE(std::isnan(roc_auc({1, 2}, {1, 1})));
  EXPECT_TRUE(std::isnan(roc_auc({1, std::nanf(""), 2}, {1, 0, 1})));
}

TEST(ClassificationMetrics, MultiLabel) {
  ClassificationMetrics metrics({"x", "y", "z"}, true);
  const auto logits = torch::tensor({{1.f, -1.f, 1.f}, {-1.f, 1.f, -1.f}}),
             target = torch::tensor({{1.f, 0.f, 0.f}, {0.f, 1.f, 0.f}});
  metrics.add(logits, target, classification_loss(logits, target, ClassificationLoss::BceLogits));
  const auto result = metrics.result();
  EXPECT_DOUBLE_EQ(result.value("accuracy"), 0.5);  // whole sets
  EXPECT_DOUBLE_EQ(result.value("micro_f1"), 2 * 2.0 / (3 + 2));
  EXPECT_DOUBLE_EQ(result.value("macro_f1"), (1 + 1 + 0) / 3.0);  // z is predicted once and never right
}

TEST(Metrics, DirectionIsLookedUpNotGuessed) {
  const MetricInfo choices[] = {{"accuracy", true}, {"loss", false}};
  EXPECT_FALSE(find_metric(choices, "loss").higher_is_better);
  EXPECT_THROW(find_metric(choices, "f1"), Error);
}

}  // namespace
}  // namespace semblance
