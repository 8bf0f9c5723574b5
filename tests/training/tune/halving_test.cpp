#include "training/tune/halving.h"

#include <gtest/gtest.h>

#include <array>
#include <map>

#include "training/tune/tune.h"

namespace semblance {
namespace {

struct PlainJob : Job {
  PlainJob() { training.epochs = 9; }
  std::string_view task() const override { return "plain"; }
  void sections(SectionList& list) override { list.add("training", training, "Training"); }
};

class HalvingTest : public testing::Test {
 protected:
  Halving make() {
    return Halving(space_, [](const SearchSpace::Values&) { return 9; }, /*seed=*/1);
  }
  // Trains all of a bracket: trial i reaches value[i], or i where none is given.
  static std::vector<std::pair<size_t, int64_t>> finish(Halving& halving,
                                                        std::map<size_t, double> value = {}) {
    std::vector<std::pair<size_t, int64_t>> steps;
    while (const auto step = halving.next()) {
      steps.emplace_back(step->trial, step->stop_after);
      const double found =
          value.contains(step->trial) ? value[step->trial] : static_cast<double>(step->trial);
      halving.report(
          step->trial,
          {.epochs = step->stop_after, .value = found, .status = step->stop_after == 9 ? "completed" : ""});
    }
    return steps;
  }

  PlainJob job_;
  SearchSpace space_{job_, [](std::string_view, std::string_view field) { return field == "lr"; }};
};

using Steps = std::vector<std::pair<size_t, int64_t>>;

TEST_F(HalvingTest, TheFirstTrialIsTheJobAsGivenAndIsTrainedToItsEnd) {
  auto halving = make();
  halving.begin_bracket(1);
  EXPECT_EQ(finish(halving), (Steps{{0, 9}}));
  EXPECT_EQ(halving.trials()[0].values, space_.base());
  EXPECT_TRUE(halving.idle());
}

TEST_F(HalvingTest, AThirdOfABracketGoesOnFromRungToRung) {
  auto halving = make();
  halving.begin_bracket(1);
  finish(halving);
  halving.begin_bracket(9);
  EXPECT_EQ(finish(halving, {{4, 100}}), (Steps{{1, 1},
                                                {2, 1},
                                                {3, 1},
                                                {4, 1},
                                                {5, 1},
                                                {6, 1},
                                                {7, 1},
                                                {8, 1},
                                                {9, 1},
                                                {4, 3},
                                                {9, 3},
                                                {8, 3},
                                                {4, 9}}));
  EXPECT_TRUE(halving.idle());
  EXPECT_EQ(halving.winner(), 4U);
  EXPECT_EQ(halving.trials()[4].result.status, "completed");
  EXPECT_EQ(halving.trials()[9].result.status, "dropped");
  EXPECT_EQ(halving.trials()[9].result.epochs, 3);
}

TEST_F(HalvingTest, WhatIsProposedDependsOnTheSeedAndOnWhatWasFoundAlone) {
  auto one = make(), other = make();
  for (int bracket = 0; bracket < 3; ++bracket) {
    one.begin_bracket(3);
    other.begin_bracket(3);
    while (!one.idle()) {  // in another order
      std::vector<TrialStep> steps;
      while (const auto step = one.next()) steps.push_back(*step);
      for (const auto& [trial, epochs] : steps)
        one.report(trial, {.epochs = epochs, .value = -double(trial), .status = ""});
      while (const auto step = other.next()) {
      }
      for (size_t i = steps.size(); i-- > 0;)
        other.report(steps[i].trial,
                     {.epochs = steps[i].stop_after, .value = -double(steps[i].trial), .status = ""});
    }
  }
  ASSERT_EQ(one.trials().size(), other.trials().size());
  for (size_t i = 0; i < one.trials().size(); ++i)
    EXPECT_EQ(one.trials()[i].values, other.trials()[i].values);
}

TEST_F(HalvingTest, WhatEndedByItselfIsNotTrainedOn) {
  auto halving = make();
  halving.begin_bracket(3);
  for (int i = 0; i < 3; ++i)
    halving.report(halving.next()->trial, {.epochs = 2, .value = 1, .status = "early-stopping"});
  EXPECT_FALSE(halving.next());
  EXPECT_TRUE(halving.idle());
  EXPECT_EQ(halving.trials()[0].result.status, "early-stopping");
}

TEST_F(HalvingTest, WhatFailedIsTheWorst) {
  auto halving = make();
  halving.begin_bracket(3);
  halving.report(0, {.epochs = 3, .value = 9, .status = "diverged"});
  halving.report(1, {.epochs = 3, .value = 1, .status = ""});
  halving.report(2, {.epochs = 3, .value = 0, .status = ""});
  EXPECT_EQ(halving.next()->trial, 1U);
  EXPECT_EQ(halving.trials()[0].result.status, "diverged");
  EXPECT_EQ(halving.winner(), 1U);
}

TEST(TrialResult, IsBetterByItsValueThenByItsLoss) {
  const auto result = [](double value, double loss, bool higher = true) {
    TrialResult made;
    made.value = value;
    made.loss = loss;
    made.higher_is_better = higher;
    return made;
  };
  const auto good = result(0.8, 0.5), sure = result(0.8, 0.4), bad = result(0.7, 0.1);
  const TrialResult none;
  EXPECT_TRUE(is_better(good, bad));
  EXPECT_TRUE(is_better(sure, good));
  EXPECT_FALSE(is_better(good, good));
  EXPECT_TRUE(is_better(bad, none));
  EXPECT_FALSE(is_better(none, bad));
  const auto low = result(0.1, 0, false), high = result(0.2, 0, false);
  EXPECT_TRUE(is_better(low, high));
}

TEST_F(HalvingTest, WithinAStandardErrorOfTheBestTheFirstWinsThenTheLowestLoss) {
  auto halving = make();
  halving.begin_bracket(5);
  const double losses[] = {0.6, 0.9, 0.5, 0.3, 0.1};
  const auto winner = [&](std::array<double, 5> values) {
    for (size_t i = 0; i < 5; ++i) {
      TrialResult result;
      result.value = values[i];
      result.loss = losses[i];
      result.examples = 400;  // a standard error of 0.019
      halving.amend(i, result);
    }
    return halving.winner();
  };
  EXPECT_EQ(winner({0.805, 0.82, 0.81, 0.79, 0.70}), 0U);
  EXPECT_EQ(winner({0.80, 0.82, 0.81, 0.79, 0.70}), 2U);
  EXPECT_EQ(halving.front(), (std::vector<size_t>{0, 1, 2, 3, 4}));
  EXPECT_EQ(winner({0.79, 0.82, 0.79, 0.79, 0.80}), 1U);
  EXPECT_EQ(halving.front(), (std::vector<size_t>{0, 1, 4}));
}

TEST_F(HalvingTest, ABracketIsAsLargeAsTheTimeAllows) {
  const auto halving = make();
  EXPECT_DOUBLE_EQ(halving.duration(1, 1), 1);
  EXPECT_DOUBLE_EQ(halving.duration(9, 1), 1 + 3 * (2. / 9) + 2. / 3);
  EXPECT_DOUBLE_EQ(halving.duration(9, 3), 3 * (1. / 9) + 2. / 9 + 2. / 3);
  EXPECT_EQ(bracket_size(halving, /*seconds=*/100, /*per_trial=*/1, 1), 27);
  EXPECT_EQ(bracket_size(halving, 3, 1, 1), 9);
  EXPECT_EQ(bracket_size(halving, 2, 1, 1), 3);
  EXPECT_EQ(bracket_size(halving, 1.1, 1, 1), 1);
  EXPECT_EQ(bracket_size(halving, 0.9, 1, 1), 0);
}

}  // namespace
}  // namespace semblance
