#include "data/sampler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace semblance {
namespace {

TEST(ShuffledSampler, VisitsEachRowOnceInAnOrderOfTheEpoch) {
  const ShuffledSampler sampler(100, 7);
  auto order = sampler.order(3);
  EXPECT_EQ(order, ShuffledSampler(100, 7).order(3));
  EXPECT_NE(order, sampler.order(4));
  EXPECT_NE(order, ShuffledSampler(100, 8).order(3));
  std::ranges::sort(order);
  EXPECT_EQ(order, SequentialSampler(100).order(0));
}

TEST(WeightedSampler, DrawsRowsByTheirWeight) {
  std::vector<double> weights(1000, 1.0);
  for (size_t i = 0; i < 100; ++i) weights[i] = 9.0;
  for (size_t i = 990; i < 1000; ++i) weights[i] = 0.0;
  const WeightedSampler sampler(weights, 3);
  int64_t heavy = 0, none = 0, total = 0;
  for (int64_t epoch = 0; epoch < 50; ++epoch)
    for (const int64_t row : sampler.order(epoch)) {
      heavy += row < 100;
      none += row >= 990;
      ++total;
    }
  EXPECT_EQ(none, 0);
  const double share = 900.0 / (900 + 890);
  EXPECT_NEAR(static_cast<double>(heavy) / static_cast<double>(total), share,
              5 * std::sqrt(share * (1 - share) / static_cast<double>(total)));
  EXPECT_EQ(sampler.order(5), WeightedSampler(weights, 3).order(5));
}

TEST(NoDuplicatesSampler, NoBatchButTheLastHasTwoRowsOfAGroup) {
  std::vector<int32_t> groups;
  for (int32_t i = 0; i < 1000; ++i) groups.push_back(i < 300 ? i / 5 : i);  // 60 groups of five
  const NoDuplicatesSampler sampler(groups, 50, 3);
  for (int64_t epoch = 0; epoch < 3; ++epoch) {
    auto order = sampler.order(epoch);
    for (size_t batch = 0; batch < 19; ++batch) {
      std::vector<int32_t> seen;
      for (size_t i = 50 * batch; i < 50 * (batch + 1); ++i)
        seen.push_back(groups[static_cast<size_t>(order[i])]);
      std::ranges::sort(seen);
      EXPECT_EQ(std::ranges::adjacent_find(seen), seen.end()) << batch;
    }
    EXPECT_EQ(order, NoDuplicatesSampler(groups, 50, 3).order(epoch));
    EXPECT_NE(order, sampler.order(epoch + 1));
    std::ranges::sort(order);
    EXPECT_EQ(order, SequentialSampler(1000).order(0));
  }
}

TEST(NoDuplicatesSampler, WhatCannotBeKeptApartComesLast) {
  const NoDuplicatesSampler sampler({0, 0, 0, 0, 1, 2}, 3, 1);
  auto order = sampler.order(0);
  ASSERT_EQ(order.size(), 6u);
  std::ranges::sort(order);
  EXPECT_EQ(order, SequentialSampler(6).order(0));
}

TEST(BalancingWeights, AreLargestCountOverOwnCountUpToACap) {
  EXPECT_EQ(balancing_weights({0, 0, 0, 0, 1, 2, 2}, 0), (std::vector<double>{1, 1, 1, 1, 4, 2, 2}));
  EXPECT_EQ(balancing_weights({0, 0, 0, 0, 1, 2, 2}, 3), (std::vector<double>{1, 1, 1, 1, 3, 2, 2}));
}

}  // namespace
}  // namespace semblance
