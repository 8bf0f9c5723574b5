#include "data/text/vocabulary.h"

#include <gtest/gtest.h>

#include "data/error.h"

namespace semblance {
namespace {

// b 12 times, ж and a 11 times, c 10 times.
Vocabulary make(const VocabularyOptions& options) {
  WordTable words;
  std::vector<int64_t> counts;
  for (const auto& [word, count] : {std::pair{"ж", 11}, {"c", 10}, {"b", 12}, {"a", 11}}) {
    words.add(word);
    counts.push_back(count);
  }
  return {words, counts, options};
}

std::vector<std::string> words_of(const Vocabulary& vocabulary) {
  std::vector<std::string> words;
  for (int32_t id = vocabulary.first_word(); id < vocabulary.size(); ++id)
    words.emplace_back(vocabulary.word(id));
  return words;
}

TEST(Vocabulary, IsOrderedByCountThenBytes) {
  EXPECT_EQ(words_of(make({})), (std::vector<std::string>{"b", "a", "ж", "c"}));
}

TEST(Vocabulary, MoreThanTenIsAMinCountOfEleven) {
  EXPECT_EQ(words_of(make({.min_count = 11})), (std::vector<std::string>{"b", "a", "ж"}));
  EXPECT_EQ(words_of(make({.max_words = 2})), (std::vector<std::string>{"b", "a"}));
}

TEST(Vocabulary, PadIsZeroAndUnknownIsOptional) {
  const auto plain = make({}), with = make({.unknown_word = true});
  EXPECT_EQ(plain.id("b"), 1);
  EXPECT_EQ(plain.id("nope"), -1);
  EXPECT_EQ(with.id("b"), 2);
  EXPECT_EQ(with.id("nope"), 1);
  EXPECT_EQ(with.id("<pad >"), 1) << "no text can name the pad";
}

TEST(Vocabulary, ComesBackFromItsText) {
  for (const bool unknown : {false, true}) {
    const auto vocabulary = make({.unknown_word = unknown});
    const auto again = Vocabulary::parse(vocabulary.serialize(), "test");
    EXPECT_EQ(again.serialize(), vocabulary.serialize());
    EXPECT_EQ(again.has_unknown(), unknown);
  }
  for (const char* damaged : {"", "b\t3\n", "<pad >\t0\nb\n", "<pad >\t0\nb\tx\n", "<pad >\t0\nb\t1\nb\t1\n"})
    EXPECT_THROW(Vocabulary::parse(damaged, "test"), Error) << damaged;
}

TEST(WordTable, NumbersByFirstAppearanceThroughGrowth) {
  WordTable table;
  for (int round = 0; round < 2; ++round)
    for (int i = 0; i < 20000; ++i) ASSERT_EQ(table.add("w" + std::to_string(i)), i);
  EXPECT_EQ(table.size(), 20000);
  EXPECT_EQ(table.find("w19999"), 19999);
  EXPECT_EQ(table.find("w20000"), -1);
  EXPECT_EQ(table.add(std::string_view("a\0b", 3)), 20000) << "a NUL is a byte like any other";
  EXPECT_EQ(table.find("a"), -1);
}

}  // namespace
}  // namespace semblance
