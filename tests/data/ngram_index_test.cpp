#include "data/text/ngram_index.h"

#include <gtest/gtest.h>

#include "data/error.h"
#include "data/text/unicode.h"

namespace semblance {
namespace {

using Ids = Bulk<int32_t>;
using Ngrams = std::vector<std::string>;

NgramIndex index_of(std::initializer_list<std::string_view> words, const NgramIndexOptions& options = {}) {
  NgramIndex index(options);
  for (const auto word : words) index.add(word);
  return index;
}

Ids ids(const NgramIndex& index, std::string_view word) {
  Ids found;
  index.append_ids(word, found);
  return found;
}

// The n-grams of a word in an index of its own, each once, in the order of their first appearance.
Ngrams ngrams(std::string_view word, const std::string& lengths = "3") {
  const auto lines = index_of({word}, {.lengths = lengths}).serialize();
  Ngrams list;
  for (size_t begin = 0; begin < lines.size(); begin = lines.find('\n', begin) + 1)
    list.push_back(lines.substr(begin, lines.find('\n', begin) - begin));
  return list;
}

TEST(NgramIndex, RunsOfThreeBetweenMarks) {
  EXPECT_EQ(ngrams("where"), (Ngrams{"#wh", "whe", "her", "ere", "re#"}));
  EXPECT_EQ(ngrams("a"), (Ngrams{"#a#"}));
  EXPECT_EQ(ngrams(""), Ngrams{});
}

TEST(NgramIndex, CharactersAreCodePointsAndNotBytes) {
  EXPECT_EQ(ngrams("где"), (Ngrams{"#гд", "где", "де#"}));
  EXPECT_EQ(ngrams("😀👍🏽"), (Ngrams{"#😀👍", "😀👍🏽", "👍🏽#"}));
  EXPECT_EQ(ngrams("te\u0301"), (Ngrams{"#te", "te\u0301", "e\u0301#"}))
      << "a combining mark is one of its own";
  EXPECT_EQ(ngrams("té"), (Ngrams{"#té", "té#"}));
  for (const auto* word : {"где", "😀👍🏽", "te\u0301", "té", "日本語"})
    for (const auto& ngram : ngrams(word)) {
      EXPECT_TRUE(is_valid_utf8(ngram)) << ngram;
      EXPECT_EQ(count_characters(ngram), 3u) << ngram;
    }
}

TEST(NgramIndex, ARangeOfLengths) {
  EXPECT_EQ(ngrams("where", "3-6"), (Ngrams{"#wh", "#whe", "#wher", "#where", "whe", "wher", "where",
                                            "where#", "her", "here", "here#", "ere", "ere#", "re#"}));
  EXPECT_EQ(ngrams("it", "3-6"), (Ngrams{"#it", "#it#", "it#"}));
  EXPECT_EQ(ngrams("it", "5"), Ngrams{}) << "too short to have one";
  EXPECT_EQ(ngrams("it", "1"), (Ngrams{"i", "t"})) << "a mark alone tells nothing";
}

TEST(NgramIndex, LengthsThatAreNone) {
  for (const auto* lengths : {"", "x", "3x", "0", "-3", "3-", "6-3", "3-6-9", "3,4", "101", "1e9"}) try {
      NgramIndex index({.lengths = lengths});
      FAIL() << lengths;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::Usage) << lengths;
      EXPECT_NE(std::string(error.what()).find("ngrams"), std::string::npos) << error.what();
    }
}

TEST(NgramIndex, AnUnknownRunIsSkipped) {
  const auto index = index_of({"where"});
  EXPECT_EQ(ids(index, "where"), (Ids{0, 1, 2, 3, 4}));
  EXPECT_EQ(ids(index, "there"), (Ids{2, 3, 4})) << "#th and the are not known";
  EXPECT_EQ(ids(index, "zoo"), Ids{});
  EXPECT_EQ(ids(index, ""), Ids{});
  EXPECT_EQ(index.size(), 5) << "looking up adds nothing";
}

TEST(NgramIndex, ARunThatIsThereTwiceCountsTwice) {
  const auto index = index_of({"lalala"});  // #la lal ala lal ala la#
  EXPECT_EQ(index.size(), 4);
  EXPECT_EQ(ids(index, "lalala"), (Ids{0, 1, 2, 1, 2, 3}));
}

TEST(NgramIndex, AWordOfTenThousandCharacters) {
  std::string word;
  for (int i = 0; i < 10000; ++i) append_utf8(U'а' + static_cast<char32_t>(i % 32), word);
  const auto index = index_of({word});
  EXPECT_EQ(index.size(), 34) << "32 within, #аб and the last";
  EXPECT_EQ(ids(index, word).size(), 10000u);
  EXPECT_EQ(ids(index_of({word}, {.lengths = "3-6"}), word).size(), 10000u + 9999 + 9998 + 9997);
}

TEST(NgramIndex, RunsShareRowsByHashing) {
  const NgramIndexOptions few{.hash_buckets = 7};
  const auto index = index_of({"where", "there", "thought", "колесо"}, few);
  EXPECT_LE(index.size(), 7);
  EXPECT_EQ(ids(index, "колесо").size(), 6u);
  for (const auto id : ids(index, "thought")) EXPECT_LT(id, index.size());

  const auto wide = index_of({"where"}, {.hash_buckets = 1000000});
  EXPECT_EQ(wide.size(), 5);
  EXPECT_EQ(ids(wide, "zoo"), Ids{}) << "a bucket into which no known n-gram fell";
}

TEST(NgramIndex, ComesBackAsItWasWritten) {
  for (const NgramIndexOptions& options :
       {NgramIndexOptions{}, {.lengths = "2-4"}, {.hash_buckets = 20}, {.hash_buckets = 100000}}) {
    const auto index = index_of({"where", "кот", "naïve", "😀", "a b"}, options);
    const auto read = NgramIndex::parse(options, index.serialize(), "runs.txt");
    EXPECT_EQ(read.size(), index.size());
    EXPECT_EQ(read.serialize(), index.serialize());
    for (const auto* word : {"where", "котёнок", "naïve", "a b", "😀😀", "none"})
      EXPECT_EQ(ids(read, word), ids(index, word)) << word;
  }
}

TEST(NgramIndex, ADamagedFileIsToldByItsLine) {
  const auto expect_refused = [](const NgramIndexOptions& options, const std::string& text, int line) {
    try {
      NgramIndex::parse(options, text, "runs.txt");
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::Model);
      EXPECT_EQ(std::string(error.what()).find("runs.txt:" + std::to_string(line) + ": "), 0u)
          << error.what();
    }
  };
  expect_refused({}, "#wh\nwhe\n#wh\n", 3);
  expect_refused({}, "#wh\n\nwhe\n", 2);
  const NgramIndexOptions hashed{.hash_buckets = 10};
  expect_refused(hashed, "3\n4\n3\n", 3);
  expect_refused(hashed, "3\n10\n", 2);
  expect_refused(hashed, "3\n-1\n", 2);
  expect_refused(hashed, "3\n4x\n", 2);
  expect_refused(hashed, "3\n\n", 2);
  expect_refused(hashed, "#wh\n", 1);
  expect_refused(hashed, "99999999999999999999999\n", 1);
}

}  // namespace
}  // namespace semblance
