#include "data/split.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "data/error.h"

namespace semblance {
namespace {

Bulk<int64_t> each_alone(int64_t n) {
  Bulk<int64_t> groups(static_cast<size_t>(n));
  std::iota(groups.begin(), groups.end(), 0);
  return groups;
}

TEST(Split, HasTheSharesAskedForAndEveryRowOnce) {
  const auto split = split_rows(each_alone(1000), {0.8, 0.1, 0.1}, 1);
  EXPECT_EQ(split.train.size(), 800u);
  EXPECT_EQ(split.valid.size(), 100u);
  EXPECT_EQ(split.test.size(), 100u);
  auto all = split.train;
  all.insert(all.end(), split.valid.begin(), split.valid.end());
  all.insert(all.end(), split.test.begin(), split.test.end());
  std::ranges::sort(all);
  EXPECT_EQ(all, each_alone(1000));
  EXPECT_EQ(split_rows(each_alone(50), {1, 0, 0}, 1).train.size(), 50u);
}

TEST(Split, DependsOnTheSeedAlone) {
  EXPECT_EQ(split_rows(each_alone(100), {0.8, 0.1, 0.1}, 3).valid,
            split_rows(each_alone(100), {0.8, 0.1, 0.1}, 3).valid);
  EXPECT_NE(split_rows(each_alone(100), {0.8, 0.1, 0.1}, 3).valid,
            split_rows(each_alone(100), {0.8, 0.1, 0.1}, 4).valid);
}

TEST(Split, KeepsAGroupTogether) {
  Bulk<int64_t> groups(300);
  for (int64_t i = 0; i < 300; ++i) groups[static_cast<size_t>(i)] = i / 3 * 3;
  const auto split = split_rows(groups, {0.6, 0.2, 0.2}, 9);
  for (const auto* part : {&split.train, &split.valid, &split.test}) {
    ASSERT_EQ(part->size() % 3, 0u);
    for (size_t i = 0; i < part->size(); i += 3) EXPECT_EQ((*part)[i] + 2, (*part)[i + 2]);
  }
  EXPECT_EQ(split.train.size(), 180u);
}

TEST(SplitShares, APartWhoseFileIsGivenLeavesItsShareToTraining) {
  const std::vector<double> split = {0.5, 0.25, 0.25};
  using Shares = std::array<double, 3>;
  EXPECT_EQ(split_shares(split, false, false), (Shares{0.5, 0.25, 0.25}));
  EXPECT_EQ(split_shares(split, true, false), (Shares{0.75, 0, 0.25}));
  EXPECT_EQ(split_shares(split, false, true), (Shares{0.75, 0.25, 0}));
  EXPECT_EQ(split_shares(split, true, true), (Shares{1, 0, 0}));
}

TEST(SplitShares, AreThreeThatSumToOneTheFirstAboveZero) {
  EXPECT_NO_THROW(split_shares({0.7, 0.2, 0.1}, false, false)) << "but for rounding";
  for (const std::vector<double>& wrong :
       {std::vector<double>{}, {1}, {0.5, 0.5}, {0.25, 0.25, 0.25, 0.25}, {0.8, 0.1, 0.2}, {0, 0.5, 0.5}})
    try {
      split_shares(wrong, true, true);
      ADD_FAILURE() << wrong.size();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::Usage);
      EXPECT_NE(std::string(error.what()).find("--split"), std::string::npos) << error.what();
    }
}

}  // namespace
}  // namespace semblance
