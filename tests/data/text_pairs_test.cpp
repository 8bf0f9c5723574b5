#include "data/text_pairs.h"

#include <gtest/gtest.h>

#include <cstring>

#include <fstream>
#include <set>

#include "data/error.h"
#include "data/ranking_rows.h"
#include "tests/temporary_folder.h"

namespace semblance {
namespace {

using Pairs = std::vector<std::pair<int32_t, int32_t>>;

Pairs pairs_of(int32_t texts, const PairOptions& options, uint64_t key = 1) {
  Bulk<TextPair> pairs;
  append_pairs(10, 10 + texts, 4, options, key, pairs);
  Pairs numbers;
  for (const auto& pair : pairs) {
    EXPECT_EQ(pair.group, 4);
    numbers.emplace_back(pair.first, pair.second);
  }
  return numbers;
}

TEST(Pairs, OfARowOfFourTexts) {
  EXPECT_EQ(pairs_of(4, {.choice = PairChoice::FirstTwo}), (Pairs{{10, 11}}));
  EXPECT_EQ(pairs_of(4, {.choice = PairChoice::FirstWithRest}), (Pairs{{10, 11}, {10, 12}, {10, 13}}));
  EXPECT_EQ(pairs_of(4, {.choice = PairChoice::AllPairs}),
            (Pairs{{10, 11}, {10, 12}, {10, 13}, {11, 12}, {11, 13}, {12, 13}}));
  EXPECT_EQ(pairs_of(1, {}), Pairs{});
}

TEST(Pairs, ALongRowGivesSoManyDrawnAtRandom) {
  std::set<std::pair<int32_t, int32_t>> seen;
  for (uint64_t key = 0; key < 400; ++key) {
    const auto drawn = pairs_of(6, {.max_per_row = 4}, key);
    ASSERT_EQ(drawn.size(), 4u);
    EXPECT_EQ(std::set(drawn.begin(), drawn.end()).size(), 4u);
    EXPECT_EQ(drawn, pairs_of(6, {.max_per_row = 4}, key));
    seen.insert(drawn.begin(), drawn.end());
  }
  EXPECT_EQ(seen.size(), 15u);  // each pair has its turn
}

TEST(GroupRows, RowsWithATextInCommonAreOfOneGroupThroughOthersToo) {
  // Row 0: a b; row 1: c d; row 2: d e; row 3: f g; row 4: e a.
  const std::vector<int64_t> starts = {0, 2, 4, 6, 8, 10}, texts = {0, 1, 2, 3, 3, 5, 6, 7, 5, 0};
  EXPECT_EQ(group_rows(starts, texts), (Bulk<int64_t>{0, 0, 0, 3, 0}));
}

RaggedIds texts_of_ids() {
  RaggedIds texts;
  for (const std::vector<int32_t>& ids : {std::vector<int32_t>{1, 2}, {3}, {}, {4, 5, 6}})
    texts.push_back(ids);
  return texts;
}

TEST(PairDataset, ABatchHasFirstTextsThenSecondOnes) {
  const PairDataset data(texts_of_ids(), Bulk<TextPair>{{0, 1, 0}, {1, 3, 7}, {0, 3, 0}});
  const std::vector<int64_t> rows = {1, 0};
  const auto batch = data.batch(rows, 0);
  EXPECT_EQ(
      std::vector<int64_t>(batch.ids.data_ptr<int64_t>(), batch.ids.data_ptr<int64_t>() + batch.ids.numel()),
      (std::vector<int64_t>{3, 1, 2, 4, 5, 6, 3}));
  EXPECT_EQ(std::vector<int64_t>(batch.offsets.data_ptr<int64_t>(), batch.offsets.data_ptr<int64_t>() + 5),
            (std::vector<int64_t>{0, 1, 3, 6, 7}));
  EXPECT_FALSE(batch.groups.defined());  // all different
}

TEST(PairDataset, GroupsAreGivenWhereSomeAreEqual) {
  const PairDataset data(texts_of_ids(), Bulk<TextPair>{{0, 1, 0}, {1, 3, 7}, {0, 3, 0}});
  const std::vector<int64_t> rows = {0, 1, 2};
  const auto groups = data.batch(rows, 0).groups;
  ASSERT_TRUE(groups.defined());
  EXPECT_EQ(std::vector<int64_t>(groups.data_ptr<int64_t>(), groups.data_ptr<int64_t>() + 3),
            (std::vector<int64_t>{0, 7, 0}));
}

TEST(PairDataset, HardNegativesComeLastWithTheirPairs) {
  const PairDataset data(texts_of_ids(), Bulk<TextPair>{{0, 1, 0}, {1, 3, 1}, {0, 3, 0}},
                         {.negatives = RaggedIds{.values = {3, 2}, .offsets = {0, 2, 2}}, .scores = {}});
  const std::vector<int64_t> rows = {1, 2};
  const auto batch = data.batch(rows, 0);
  const auto numbers = [](const at::Tensor& tensor) {
    return std::vector<int64_t>(tensor.data_ptr<int64_t>(), tensor.data_ptr<int64_t>() + tensor.numel());
  };
  EXPECT_EQ(numbers(batch.offsets), (std::vector<int64_t>{0, 1, 3, 6, 9, 12, 12}));
  EXPECT_EQ(numbers(batch.owners), (std::vector<int64_t>{1, 1})) << "pair 0's row has none";
  EXPECT_FALSE(batch.scores.defined());
}

// Stands for a large mapped file.
struct CountingMemory : FarMemory {
  void copy(const void* from, size_t bytes, void* to) const override {
    std::memcpy(to, from, bytes);
    ++copies;
  }
  mutable int copies = 0;
};

TEST(PairDataset, WhatIsFarIsCopiedAndGivesTheSameBatch) {
  const RaggedIds texts = texts_of_ids(), negatives{.values = {3, 2}, .offsets = {0, 2, 2}};
  const Bulk<TextPair> pairs = {{0, 1, 0}, {1, 3, 1}, {0, 3, 0}};
  const Bulk<float> scores = {0.25f, -1};
  const CountingMemory memory;
  const ArrayHolder far{.owner = {}, .far = &memory};
  const PairDataset near(texts, pairs, {.negatives = negatives, .scores = scores});
  const PairDataset distant(FrozenIds(texts, far), Frozen<TextPair>(pairs, far),
                            {.negatives = FrozenIds(negatives, far), .scores = Frozen<float>(scores, far)});
  const std::vector<int64_t> rows = {1, 2};
  const auto batch = distant.batch(rows, 0), expected = near.batch(rows, 0);
  EXPECT_TRUE(batch.ids.equal(expected.ids));
  EXPECT_TRUE(batch.offsets.equal(expected.offsets));
  EXPECT_TRUE(batch.owners.equal(expected.owners));
  EXPECT_TRUE(batch.scores.equal(expected.scores));
  EXPECT_GT(memory.copies, 0);
}

TEST(PairDataset, ScoresAreThoseOfThePairsGroups) {
  const PairDataset data(texts_of_ids(), Bulk<TextPair>{{0, 1, 0}, {1, 3, 1}},
                         {.negatives = {}, .scores = Bulk<float>{0.25f, -1}});
  const std::vector<int64_t> rows = {1, 0};
  const auto batch = data.batch(rows, 0);
  EXPECT_EQ(batch.scores.data_ptr<float>()[0], -1);
  EXPECT_EQ(batch.scores.data_ptr<float>()[1], 0.25f);
  EXPECT_FALSE(batch.owners.defined());
}

struct Notices {
  std::string text;
  std::function<void(const std::string&)> take = [this](const std::string& line) { text += line + "\n"; };
};

TEST(DuplicateRows, AreReadFromPlainAndCrlfLines) {
  const TemporaryFolder folder;
  std::ofstream(folder / "rows.tsv") << "\xEF\xBB\xBFone\tuno\tein\r\n\r\ntwo\tdos\t\t\nthree\tt\xFFres";
  Notices notices;
  TextRows rows;
  read_duplicate_rows(folder / "rows.tsv", {}, notices.take, rows);
  EXPECT_EQ(rows.starts, (Bulk<int64_t>{0, 3, 5, 7}));
  EXPECT_EQ(rows.texts[0], "one");
  EXPECT_EQ(rows.texts[2], "ein");
  EXPECT_EQ(rows.texts[4], "dos");
  EXPECT_EQ(rows.texts[6], "t\uFFFDres");
  EXPECT_NE(notices.text.find("1 row(s) with ill-formed UTF-8"), std::string::npos);
}

TEST(DuplicateRows, ARowOfOneTextIsNamedOrCounted) {
  const TemporaryFolder folder;
  std::ofstream(folder / "rows.tsv") << "a\tb\nalone\t\nc\td\n";
  Notices notices;
  TextRows rows;
  try {
    read_duplicate_rows(folder / "rows.tsv", {}, notices.take, rows);
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("rows.tsv:2: expected texts"), std::string::npos)
        << error.what();
  }
  rows = {};
  RowFileOptions options;
  options.table.bad_rows = BadRows::Skip;
  read_duplicate_rows(folder / "rows.tsv", options, notices.take, rows);
  EXPECT_EQ(rows.size(), 2);
  EXPECT_NE(notices.text.find("left out 1 bad row(s)"), std::string::npos);
}

TEST(RankingRows, EachDifferentTextIsHeldOnceAndPartsAreBounded) {
  const TemporaryFolder folder;
  std::ofstream(folder / "rows.tsv") << "q\td\tn\tn\nr\td\tq\ns\tt\tu\n";
  RankingRowReader whole(folder / "rows.tsv", {}, {1000, 1});
  RankingRows part;
  ASSERT_TRUE(whole.next(part));
  EXPECT_EQ(part.texts.size(), 7);
  EXPECT_EQ(part.rows.values, (Bulk<int32_t>{0, 1, 2, 2, 3, 1, 0, 4, 5, 6}));
  EXPECT_FALSE(whole.next(part));

  RankingRowReader parts(folder / "rows.tsv", {}, {1000, 1});
  ASSERT_TRUE(parts.next(part, 4));
  EXPECT_EQ(part.rows.size(), 2);
  ASSERT_TRUE(parts.next(part, 4));
  EXPECT_EQ(part.rows.values, (Bulk<int32_t>{0, 1, 2}));
  EXPECT_FALSE(parts.next(part, 4));
}

// The texts of each row.
std::vector<std::vector<std::string>> texts_of(const RankingRows& part) {
  std::vector<std::vector<std::string>> rows;
  for (int64_t row = 0; row < part.rows.size(); ++row) {
    rows.emplace_back();
    for (const int32_t text : part.rows[row]) rows.back().emplace_back(part.texts[text]);
  }
  return rows;
}

// R1
TEST(RankingRows, OfTwoTextsAreRankedAmongEachOthersSecondTexts) {
  const TemporaryFolder folder;
  std::ofstream(folder / "rows.tsv") << "q1\td1\nq2\td2\tn\nq3\td3\nq4\td4\nd4\td5\n";
  RankingRowReader reader(folder / "rows.tsv", {}, {1000, 1});
  RankingRows part;
  ASSERT_TRUE(reader.next(part));
  EXPECT_EQ(texts_of(part), (std::vector<std::vector<std::string>>{{"q2", "d2", "n"}}));
  ASSERT_TRUE(reader.next(part));
  EXPECT_EQ(texts_of(part), (std::vector<std::vector<std::string>>{{"q1", "d1", "d3", "d4", "d5"},
                                                                   {"q3", "d3", "d4", "d5", "d1"},
                                                                   {"q4", "d4", "d1", "d3"},
                                                                   {"d4", "d5", "d1", "d3"}}))
      << "a row that has a text in common with it holds no wrong answer";
  EXPECT_FALSE(reader.next(part));
  Notices notices;
  reader.finish(notices.take);
  EXPECT_NE(notices.text.find("4 row(s) of two texts"), std::string::npos) << notices.text;
}

TEST(RankingRows, OfTwoTextsGetSoManyCandidatesDrawnByTheSeed) {
  const TemporaryFolder folder;
  {
    std::ofstream file(folder / "rows.tsv");
    for (int i = 0; i < 40; ++i) file << "q" << i << "\td" << i << "\n";
  }
  const auto rows = [&](uint64_t seed) {
    RankingRowReader reader(folder / "rows.tsv", {}, {7, seed});
    RankingRows part;
    reader.next(part);
    return texts_of(part);
  };
  for (const auto& row : rows(1)) EXPECT_EQ(row.size(), 9u);
  EXPECT_EQ(rows(1), rows(1));
  EXPECT_NE(rows(1), rows(2));
}

TEST(RankingRows, ThatNothingCanBeRankedAmongAreNoResult) {
  const TemporaryFolder folder;
  std::ofstream(folder / "rows.tsv") << "q\ta\nq\tb\n";
  RankingRowReader reader(folder / "rows.tsv", {}, {1000, 1});
  RankingRows part;
  EXPECT_FALSE(reader.next(part));
  EXPECT_THROW(reader.finish([](const auto&) {}), Error);
}

}  // namespace
}  // namespace semblance
