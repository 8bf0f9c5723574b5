#include "training/tasks/sentiment/class_sampler.h"

#include <gtest/gtest.h>
#include <torch/types.h>

#include <cmath>
#include <vector>

namespace semblance {
namespace {

const std::vector<int64_t> kCounts = {100, 50, 20, 10, 5, 5, 2, 1, 1, 0};

TEST(ClassSampler, GivesTheBatchsOwnClassesAndOthersOnce) {
  const ClassSampler sampler(kCounts, 4);
  const auto targets = torch::tensor({9, 0, 9, 3}, torch::kInt64);
  const auto drawn = sampler.draw(targets, 7);
  EXPECT_TRUE(drawn.classes.diff().gt(0).all().item<bool>());
  EXPECT_TRUE(torch::equal(drawn.classes.index_select(0, drawn.places), targets));
  EXPECT_LE(drawn.classes.numel(), 3 + 4);
  EXPECT_TRUE(drawn.log_chance.isfinite().any().item<bool>());
}

TEST(ClassSampler, DependsOnItsKeyAlone) {
  const ClassSampler sampler(kCounts, 4);
  const auto targets = torch::tensor({1}, torch::kInt64);
  const auto first = sampler.draw(targets, 1);
  bool differs = false;
  for (uint64_t key = 2; key < 10; ++key)
    differs |= !torch::equal(sampler.draw(targets, key).classes, first.classes);
  EXPECT_TRUE(differs);
  EXPECT_TRUE(torch::equal(sampler.draw(targets, 1).classes, first.classes));
}

// What sampled_loss rests on: each class, drawn and divided by its chance, counts once on average.
TEST(ClassSampler, SumsDividedByTheirChancesAreRightOnAverage) {
  const ClassSampler sampler(kCounts, 3);
  const auto own = torch::tensor({9}, torch::kInt64);
  const auto exponentials = torch::linspace(2, 0.5, 10);
  constexpr int kDraws = 20000;
  double sum = 0;
  for (uint64_t key = 0; key < kDraws; ++key) {
    const auto [classes, places, log_chance] = sampler.draw(own, key);
    const auto others = classes.ne(9).logical_and(log_chance.isfinite());
    sum += (exponentials.index_select(0, classes) * (-log_chance).exp())
               .masked_select(others)
               .sum()
               .item<double>();
  }
  const double all = exponentials.sum().item<double>() - exponentials[9].item<double>();
  EXPECT_NEAR(sum / kDraws, all, 0.02 * all);
}

}  // namespace
}  // namespace semblance
