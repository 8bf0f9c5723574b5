#include "training/measures/ranking.h"

#include <gtest/gtest.h>
#include <torch/types.h>

#include <cmath>

namespace semblance {
namespace {

Json measured(Ties ties, std::initializer_list<std::pair<int64_t, int64_t>> rows) {
  RankingMetrics metrics({.k = {10, 1, 2, 2}, .ties = ties});
  for (const auto& [above, equal] : rows) metrics.add(above, equal);
  return metrics.report();
}

TEST(RankingMetrics, OfKnownRanks) {
  const auto report = measured(Ties::Pessimistic, {{0, 0}, {1, 0}, {9, 0}, {10, 0}});
  EXPECT_DOUBLE_EQ(report["hits"]["1"], 0.25);
  EXPECT_DOUBLE_EQ(report["hits"]["2"], 0.5);
  EXPECT_DOUBLE_EQ(report["hits"]["10"], 0.75);
  EXPECT_DOUBLE_EQ(report["dcg"]["10"], (1 + 1 / std::log2(3.0) + 1 / std::log2(11.0)) / 4);
  EXPECT_DOUBLE_EQ(report["mrr"], (1 + 1 / 2.0 + 1 / 10.0 + 1 / 11.0) / 4);
  EXPECT_DOUBLE_EQ(report["mean_rank"], 6);
  EXPECT_DOUBLE_EQ(report["median_rank"], 6);
  EXPECT_EQ(report["ties"], 0);
}

TEST(RankingMetrics, ATieCountsAsThePolicySays) {
  EXPECT_DOUBLE_EQ(measured(Ties::Pessimistic, {{0, 3}})["hits"]["1"], 0);
  EXPECT_DOUBLE_EQ(measured(Ties::Optimistic, {{0, 3}})["hits"]["1"], 1);
  EXPECT_DOUBLE_EQ(measured(Ties::Expected, {{0, 3}})["hits"]["1"], 0.25);
  EXPECT_DOUBLE_EQ(measured(Ties::Expected, {{0, 3}})["hits"]["2"], 0.5);
  EXPECT_DOUBLE_EQ(measured(Ties::Expected, {{0, 1}})["mrr"], 0.75);
  EXPECT_DOUBLE_EQ(measured(Ties::Expected, {{0, 3}})["mean_rank"], 2.5);
}

TEST(RankingMeasure, RanksByCosineWhateverTheBatches) {
  // Texts: 0 question, 1 its duplicate, 2 nearer, 3 as near as the duplicate, 4 without a token.
  RaggedIds texts, rows;
  for (int32_t i = 0; i < 4; ++i) texts.push_back(std::vector<int32_t>{i});
  texts.close_row();
  rows.push_back(std::vector<int32_t>{0, 1, 2, 4});
  rows.push_back(std::vector<int32_t>{0, 1, 3});
  rows.push_back(std::vector<int32_t>{4, 1, 2});
  const RankingDataset data(texts, rows);
  const auto vectors = torch::tensor({{1.f, 0.f}, {1.f, 1.f}, {5.f, 1.f}, {2.f, 2.f}, {0.f, 0.f}});
  for (const int64_t size : {1, 2, 5}) {
    RankingMeasure measure(data, {.k = {1, 2}});
    for (int64_t first = 0; first < 5; first += size)
      measure.add(vectors.narrow(0, first, std::min(size, 5 - first)));
    const auto metrics = measure.result();
    EXPECT_DOUBLE_EQ(metrics.value("hits@1"), 0);
    EXPECT_DOUBLE_EQ(metrics.value("hits@2"), 2.0 / 3);
    EXPECT_EQ(metrics.report()["ties"], 1);  // the equal one
    EXPECT_EQ(metrics.report()["empty_queries"], 1);
  }
}

// R4
TEST(RankingMeasure, ATextWithoutTokensIsNearToNothingWhateverItsVector) {
  // A layer behind the mean gives every text a vector, those without a token too: here 3, as text 0 has it.
  RaggedIds texts, rows;
  for (int32_t i = 0; i < 3; ++i) texts.push_back(std::vector<int32_t>{i});
  texts.close_row();
  rows.push_back(std::vector<int32_t>{0, 1, 3});  // above the duplicate, were anything known of it
  rows.push_back(std::vector<int32_t>{3, 0, 2});  // the question
  rows.push_back(std::vector<int32_t>{0, 3, 2});  // the duplicate
  const RankingDataset data(texts, rows);
  const auto vectors = torch::tensor({{1.f, 0.f}, {1.f, 1.f}, {0.f, 1.f}, {1.f, 0.f}});
  for (const Ties ties : {Ties::Pessimistic, Ties::Optimistic, Ties::Expected}) {
    RankingMeasure measure(data, {.k = {1, 2}, .ties = ties});
    measure.add(vectors);
    const auto report = measure.result().report();
    EXPECT_DOUBLE_EQ(report["hits"]["1"], 1.0 / 3);
    EXPECT_DOUBLE_EQ(report["hits"]["2"], 1.0 / 3);
    EXPECT_DOUBLE_EQ(report["mrr"], 1.0 / 3);
    EXPECT_DOUBLE_EQ(report["mean_rank"], (1 + 2 + 2) / 3.0);
    EXPECT_EQ(report["empty_queries"], 1);
  }
}

TEST(NamedNumbers, AreThoseOfAReportAndOfTheObjectsWithinIt) {
  const Json report = {{"mrr", 0.5}, {"hits", {{"1", 0.25}, {"10", 1}}}, {"policy", "x"}, {"auc", nullptr}};
  std::string names;
  for (const auto& [name, value] : named_numbers(report)) names += name + " ";
  EXPECT_EQ(names, "mrr hits@1 hits@10 auc ");
  EXPECT_EQ(named_number(report, "hits@10"), 1);
  EXPECT_TRUE(named_number(report, "hits@5").is_null());
}

TEST(HardestRows, KeepsThoseThatAreFoundTheLatest) {
  // The question 0 is nearest to 1, then 2, then 3; of 4 nothing is known.
  RankingRows part;
  for (const auto* text : {"question", "near", "farther", "far", "blank"})
    part.texts.push_back(std::string_view(text));
  EncodedTexts encoded{.vectors = torch::tensor({{1.f, 0.f}, {9.f, 1.f}, {1.f, 1.f}, {0.f, 1.f}, {0.f, 0.f}}),
                       .known = {1, 1, 1, 1, 0}};
  for (const auto& row : {std::vector{0, 1, 2}, {0, 2, 1}, {0, 3, 1, 2, 4}, {4, 1, 2}})
    part.rows.push_back(row);
  RankingMetrics metrics({.k = {1}});
  rank_rows(part.rows, encoded.vectors, encoded.known, metrics);
  ASSERT_EQ(std::vector(metrics.ranks().begin(), metrics.ranks().end()), (std::vector<double>{1, 2, 3, 2}));
  HardestRows two(2), all(9);
  for (auto* hardest : {&two, &all}) hardest->add(part, encoded, metrics.ranks());
  const Json told = all.report();
  ASSERT_EQ(told.size(), 3u) << "the duplicate that is the nearest is not hard";
  EXPECT_EQ(told[0]["duplicate"], "far");
  EXPECT_EQ(told[0]["rank"], 3);
  EXPECT_EQ(told[0]["candidates"], 4);
  EXPECT_EQ(told[0]["nearest"], "near");
  EXPECT_EQ(told[0]["similarity"], 0);
  EXPECT_NEAR(told[0]["nearest_similarity"].get<double>(), 9 / std::sqrt(82.0), 1e-6);
  EXPECT_EQ(told[1]["duplicate"], "farther");
  EXPECT_EQ(told[2]["question"], "blank");
  EXPECT_EQ(two.report(), (Json{told[0], told[1]}));
}

}  // namespace
}  // namespace semblance
