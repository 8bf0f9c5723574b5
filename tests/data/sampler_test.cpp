#include "data/sampler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace semblance {
namespace {

std::vector<int64_t> rows(const RowOrder& order) {
  std::vector<int64_t> rows;
  for (int64_t place = 0; place < order.size(); ++place) rows.push_back(order[place]);
  return rows;
}

TEST(ShuffledSampler, VisitsEachRowOnceInAnOrderOfTheEpoch) {
  const ShuffledSampler sampler(100, 7);
  auto order = rows(sampler.order(3));
  EXPECT_EQ(order, rows(ShuffledSampler(100, 7).order(3)));
  EXPECT_NE(order, rows(sampler.order(4)));
  EXPECT_NE(order, rows(ShuffledSampler(100, 8).order(3)));
  std::ranges::sort(order);
  EXPECT_EQ(order, rows(SequentialSampler(100).order(0)));
}

TEST(ShuffledSampler, ComputesAnOrderOfManyRowsWhereItIsAskedFor) {
  for (const int64_t size : {1, 2, 3, 10, 99, 100, 101, 12345}) {
    const ShuffledSampler sampler(size, 7, /*most_listed=*/0);
    auto order = rows(sampler.order(3));
    EXPECT_EQ(order, rows(ShuffledSampler(size, 7, 0).order(3)));
    if (size > 10) {
      EXPECT_NE(order, rows(sampler.order(4)));
      EXPECT_NE(order, rows(ShuffledSampler(size, 8, 0).order(3)));
    }
    std::ranges::sort(order);
    EXPECT_EQ(order, rows(SequentialSampler(size).order(0))) << size;
  }
  const auto billions = ShuffledSampler(int64_t{5} << 30, 7).order(0);
  EXPECT_EQ(billions.size(), int64_t{5} << 30);
  EXPECT_LT(billions[billions.size() - 1], billions.size());
}

// Whatever the place, each tenth of the rows comes as often as another, and so does each tenth after each.
TEST(KeyedPermutation, LooksRandom) {
  constexpr int64_t kSize = 10'000;
  std::vector<double> at_place(100), after(100);
  for (uint64_t key = 0; key < 100; ++key) {
    const KeyedPermutation order(kSize, key);
    for (int64_t place = 0; place < kSize; ++place) {
      const auto tenth = order[place] * 10 / kSize;
      ++at_place[static_cast<size_t>(place * 10 / kSize * 10 + tenth)];
      if (place > 0) ++after[static_cast<size_t>(order[place - 1] * 10 / kSize * 10 + tenth)];
    }
  }
  const auto chi_square = [](const std::vector<double>& counts) {
    double sum = 0;
    for (const double count : counts) sum += (count - 10'000) * (count - 10'000) / 10'000;
    return sum;
  };
  EXPECT_LT(chi_square(at_place), 160) << "81 degrees of freedom";
  EXPECT_LT(chi_square(after), 180) << "some 99 degrees of freedom";
}

TEST(WeightedSampler, DrawsRowsByTheirWeight) {
  std::vector<double> weights(1000, 1.0);
  for (size_t i = 0; i < 100; ++i) weights[i] = 9.0;
  for (size_t i = 990; i < 1000; ++i) weights[i] = 0.0;
  const WeightedSampler sampler(weights, 3);
  int64_t heavy = 0, none = 0, total = 0;
  for (int64_t epoch = 0; epoch < 50; ++epoch)
    for (const int64_t row : rows(sampler.order(epoch))) {
      heavy += row < 100;
      none += row >= 990;
      ++total;
    }
  EXPECT_EQ(none, 0);
  const double share = 900.0 / (900 + 890);
  EXPECT_NEAR(static_cast<double>(heavy) / static_cast<double>(total), share,
              5 * std::sqrt(share * (1 - share) / static_cast<double>(total)));
  EXPECT_EQ(rows(sampler.order(5)), rows(WeightedSampler(weights, 3).order(5)));
}

TEST(NoDuplicatesSampler, NoBatchButTheLastHasTwoRowsOfAGroup) {
  Bulk<int32_t> groups;
  for (int32_t i = 0; i < 1000; ++i) groups.push_back(i < 300 ? i / 5 : i);  // 60 groups of five
  const NoDuplicatesSampler sampler(groups, 50, 3);
  for (int64_t epoch = 0; epoch < 3; ++epoch) {
    auto order = rows(sampler.order(epoch));
    for (size_t batch = 0; batch < 19; ++batch) {
      std::vector<int32_t> seen;
      for (size_t i = 50 * batch; i < 50 * (batch + 1); ++i)
        seen.push_back(groups[static_cast<size_t>(order[i])]);
      std::ranges::sort(seen);
      EXPECT_EQ(std::ranges::adjacent_find(seen), seen.end()) << batch;
    }
    EXPECT_EQ(order, rows(NoDuplicatesSampler(groups, 50, 3).order(epoch)));
    EXPECT_NE(order, rows(sampler.order(epoch + 1)));
    std::ranges::sort(order);
    EXPECT_EQ(order, rows(SequentialSampler(1000).order(0)));
  }
}

TEST(NoDuplicatesSampler, WhatCannotBeKeptApartComesLast) {
  const NoDuplicatesSampler sampler({0, 0, 0, 0, 1, 2}, 3, 1);
  auto order = rows(sampler.order(0));
  ASSERT_EQ(order.size(), 6u);
  std::ranges::sort(order);
  EXPECT_EQ(order, rows(SequentialSampler(6).order(0)));
}

TEST(BalancingWeights, AreLargestCountOverOwnCountUpToACap) {
  EXPECT_EQ(balancing_weights({0, 0, 0, 0, 1, 2, 2}, 0), (std::vector<double>{1, 1, 1, 1, 4, 2, 2}));
  EXPECT_EQ(balancing_weights({0, 0, 0, 0, 1, 2, 2}, 3), (std::vector<double>{1, 1, 1, 1, 3, 2, 2}));
}

}  // namespace
}  // namespace semblance
