#include "training/measures/vectors.h"

#include <gtest/gtest.h>
#include <torch/types.h>

#include <cmath>

namespace semblance {
namespace {

TEST(VectorMetrics, ByHand) {
  VectorMetrics metrics(torch::tensor({1.f, 1.f}));
  metrics.add(torch::tensor({{3.f, 4.f}, {0.f, 0.f}}), torch::tensor({{4.f, 3.f}, {0.f, 2.f}}));
  const auto result = metrics.result();
  EXPECT_NEAR(result.value("cosine"), (0.96 + 0) / 2, 1e-12) << "a zero vector is like nothing";
  EXPECT_NEAR(result.value("mse"), (1 + 1 + 0 + 4) / 4.0, 1e-12);
  EXPECT_EQ(result.value("loss"), result.value("mse"));
  EXPECT_NEAR(result.value("zero_mse"), (16 + 9 + 0 + 4) / 4.0, 1e-12);
  EXPECT_NEAR(result.value("mean_mse"), (9 + 4 + 1 + 1) / 4.0, 1e-12);
  EXPECT_NEAR(result.value("mean_cosine"), (7 / (5 * std::sqrt(2)) + 1 / std::sqrt(2)) / 2, 1e-12);
  EXPECT_EQ(result.report()["examples"], 2);
}

TEST(VectorMetrics, AsTorchMeasures) {
  torch::manual_seed(1);
  const auto output = torch::randn({50, 9}), target = torch::randn({50, 9}), mean = target.mean(0);
  VectorMetrics metrics(mean);
  metrics.add(output, target);
  const auto result = metrics.result();
  const auto expect = [&](const char* name, const torch::Tensor& value) {
    EXPECT_NEAR(result.value(name), value.item<double>(), 1e-5) << name;  // torch adds in float32
  };
  expect("cosine", torch::cosine_similarity(output, target, 1).mean());
  expect("mse", torch::mse_loss(output, target));
  expect("zero_mse", torch::mse_loss(torch::zeros_like(target), target));
  expect("mean_mse", torch::mse_loss(mean.expand_as(target), target));
  expect("mean_cosine", torch::cosine_similarity(mean.expand_as(target), target, 1).mean());
}

TEST(VectorMetrics, UnequalBatchesMakeTheSameMeans) {
  torch::manual_seed(1);
  const auto output = torch::randn({50, 9}), target = torch::randn({50, 9});
  VectorMetrics whole(torch::ones({9})), parts(torch::ones({9}));
  whole.add(output, target);
  parts.add(output.slice(0, 0, 43), target.slice(0, 0, 43));
  parts.add(output.slice(0, 43), target.slice(0, 43));
  for (const auto* name : {"cosine", "mse", "zero_mse", "mean_mse", "mean_cosine"})
    EXPECT_NEAR(whole.result().value(name), parts.result().value(name), 1e-12) << name;
  EXPECT_EQ(parts.result().report()["examples"], 50);
}

}  // namespace
}  // namespace semblance
