#include "training/measures/word_sets.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "tests/temporary_folder.h"
#include "tests/training/serving/x_encoder.h"
#include "training/measures/correlation.h"

namespace semblance {
namespace {

class WordSets : public testing::Test {
 protected:
  WordVectors vectors() const {
    return WordVectors::load(file("vectors", "3 2\nup 0 1\nside 1 0\nback -1 0\n"), {}, [](const auto&) {});
  }
  std::string file(const std::string& name, const std::string& content) const {
    std::ofstream(folder_ / name) << content;
    return (folder_ / name).string();
  }

  TemporaryFolder folder_;
  XEncoder oov_;
};

TEST_F(WordSets, WithAnEncoderPairsOfUnknownWordsCountToo) {
  const auto set = file("set", "up side 2\nside back 1\nside xxx 5\nxxx xx 6\nup zz 3\nzz yy 4\n");
  const auto without = evaluate_word_set(vectors(), set, {});
  EXPECT_EQ(without["examples"], 2);
  EXPECT_EQ(without["skipped"], 4);
  EXPECT_DOUBLE_EQ(without["coverage"], 2 / 6.0);
  EXPECT_EQ(without["oov"], 0);

  const auto with = evaluate_word_set(vectors(), set, {}, &oov_);
  EXPECT_EQ(with["examples"], 4);
  EXPECT_EQ(with["skipped"], 2) << "the encoder knows nothing of zz and yy either";
  EXPECT_DOUBLE_EQ(with["coverage"], 4 / 6.0);
  EXPECT_EQ(with["oov"], 2);
  const double scores[] = {2, 1, 5, 6};
  const double cosines[] = {0, -1, 3 / std::sqrt(10), 7 / std::sqrt(50)};
  EXPECT_NEAR(with["pearson"], pearson(scores, cosines), 1e-6);
  EXPECT_DOUBLE_EQ(with["spearman"], 1);
}

TEST_F(WordSets, TheEncoderGetsWordsInLowerCaseUnlessCaseCounts) {
  const auto set = file("set", "up XX 1\nside xXx 2\nUP xxxx 3\nup side 4\n");
  EXPECT_EQ(evaluate_word_set(vectors(), set, {}, &oov_)["examples"], 4);
  const auto exact = evaluate_word_set(vectors(), set, {.case_insensitive = false}, &oov_);
  EXPECT_EQ(exact["examples"], 2) << "XX and UP do not begin with x, xXx does";
  EXPECT_EQ(exact["oov"], 1);
}

TEST_F(WordSets, AnEncoderCanBeMeasuredByItself) {
  const auto report = evaluate_word_set(oov_, file("set", "x xx 1\nx xxx 0.5\nx up 7\n"), {});
  EXPECT_EQ(report["examples"], 2);
  EXPECT_EQ(report["skipped"], 1);
  EXPECT_DOUBLE_EQ(report["spearman"], 1);
}

TEST_F(WordSets, AnEncoderHasNoAnswersToAnalogies) {
  const auto set = file("set", "\n: capitals\nup side up side\n");
  EXPECT_EQ(evaluate_word_set(vectors(), set, {})["task"], "analogies");
  EXPECT_THROW(evaluate_word_set(vectors(), set, {}, &oov_), Error);
  EXPECT_THROW(evaluate_word_set(oov_, set, {}), Error);
}

}  // namespace
}  // namespace semblance
