#include "data/corpus/corpus.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <fstream>
#include <map>

#include "data/corpus/token_batches.h"
#include "data/error.h"
#include "data/random.h"
#include "tests/temporary_folder.h"

namespace semblance {
namespace {

const Notice kQuiet = [](const std::string&) {};

class CorpusTest : public testing::Test {
 protected:
  std::string write(const std::string& name, const std::string& text) {
    const auto path = (folder_.path() / name).string();
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }
  static CorpusRules rules(int64_t min_count = 1) {
    CorpusRules rules;
    rules.vocabulary.min_count = min_count;
    return rules;
  }
  // The known words from word `first` on, with a | behind each sentence.
  static std::string read(const Corpus& corpus, int64_t first, int64_t count) {
    Corpus::Reader reader(corpus, first);
    const auto ids = reader.next(count);
    std::string text;
    for (int64_t row = 0; row < ids.size(); ++row) {
      for (const int32_t id : ids[row]) text += std::string(corpus.vocabulary().word(id)) + " ";
      text += "| ";
    }
    return text;
  }
  TemporaryFolder folder_;
};

TEST_F(CorpusTest, CountsWordsAndReadsSentences) {
  const Corpus corpus({write("a.txt", "The cat, the DOG\n\ncat sat\r\nthe end")}, rules(), 2, kQuiet);
  EXPECT_EQ(corpus.tokens(), 8);
  EXPECT_EQ(corpus.vocabulary().word(1), "the");
  EXPECT_EQ(corpus.vocabulary().count(1), 3);
  EXPECT_EQ(read(corpus, 0, 100), "the cat the dog | cat sat | the end | ");
}

TEST_F(CorpusTest, RareWordsAreCountedButLeftOut) {
  const Corpus corpus({write("a.txt", "a b a b\nc a b\n")}, rules(2), 1, kQuiet);
  EXPECT_EQ(corpus.tokens(), 7);
  EXPECT_EQ(corpus.known_tokens(), 6);
  EXPECT_EQ(read(corpus, 0, 100), "a b a b | a b | ");
  EXPECT_EQ(read(corpus, 4, 2), "a | ") << "places count all words, those left out among them";
}

TEST_F(CorpusTest, BeginsAnywhereInSeveralFilesOfManyBlocks) {
  std::string one = "\xEF\xBB\xBF", two;
  for (int i = 0; i < 120000; ++i) one += "w" + std::to_string(i % 97) + (i % 11 == 0 ? "\n" : " ");
  for (int i = 0; i < 300000; ++i) two += "v" + std::to_string(i % 89) + " ";  // a single line of two blocks
  const std::vector paths{write("one.txt", one), write("two.txt", two)};
  const Corpus corpus(paths, rules(), 3, kQuiet);
  ASSERT_EQ(corpus.tokens(), 420000);
  Corpus::Reader whole(corpus, 0);
  const auto all = whole.next(corpus.tokens()).values;
  ASSERT_EQ(all.size(), 420000u);
  for (const int64_t first : {0L, 1L, 77777L, 119999L, 120000L, 120001L, 333333L, 419999L}) {
    Corpus::Reader reader(corpus, first);
    EXPECT_EQ(reader.next(1).values, Bulk<int32_t>{all[static_cast<size_t>(first)]}) << first;
  }
  EXPECT_EQ(whole.next(1).size(), 0) << "there is no more, however often it is asked for";
  EXPECT_EQ(whole.next(1).size(), 0);
  EXPECT_EQ(Corpus(paths, rules(), 1, kQuiet).fingerprint(), corpus.fingerprint());
}

TEST_F(CorpusTest, BatchesAreTheSameWhereverReadingBegins) {
  const Corpus corpus({write("a.txt", "a b c d e\nf g h\ni j k l m n o p\n")}, rules(), 1, kQuiet);
  const TokenBatches batches(corpus, 3, 7);
  EXPECT_EQ(batches.batches(), 6);
  EXPECT_EQ(batches.examples(5), 1);
  auto whole = batches.epoch(1);
  for (int64_t i = 0; i < batches.batches(); ++i) {
    const auto expected = whole.batch(i);
    auto late = batches.epoch(1);
    const auto found = late.batch(i);
    EXPECT_EQ(found.sentences.values, expected.sentences.values);
    EXPECT_EQ(found.sentences.offsets, expected.sentences.offsets);
    EXPECT_EQ(found.key, expected.key);
  }
  EXPECT_NE(batches.epoch(2).batch(0).key, batches.epoch(1).batch(0).key);
}

TEST_F(CorpusTest, ReadsGzip) {
  const auto path = (folder_.path() / "a.gz").string();
  gzFile file = gzopen(path.c_str(), "wb");
  gzputs(file, "a b\nb c\n");
  gzclose(file);
  EXPECT_EQ(read(Corpus({path}, rules(), 1, kQuiet), 1, 9), "b | b c | ");
}

TEST_F(CorpusTest, AFileThatShrankWhileItIsReadIsAnError) {
  const auto path = write("a.txt", "a b c d\ne f g h\n");
  const Corpus corpus({path}, rules(), 1, kQuiet);
  write("a.txt", "a b\n");
  EXPECT_THROW(Corpus::Reader(corpus, 0).next(8), Error);
}

TEST_F(CorpusTest, RefusesWhatCannotBeReadTwiceAndWhatHasNoWords) {
  EXPECT_THROW(Corpus({"-"}, rules(), 1, kQuiet), Error);
  EXPECT_THROW(Corpus({(folder_.path() / "none").string()}, rules(), 1, kQuiet), Error);
  EXPECT_THROW(Corpus({write("empty.txt", "")}, rules(), 1, kQuiet), Error);
  EXPECT_THROW(Corpus({write("rare.txt", "a b c\n")}, rules(2), 1, kQuiet), Error);
}

TEST_F(CorpusTest, IllFormedBytesAreCounted) {
  std::string noticed;
  const Corpus corpus({write("a.txt", "ab \xFF\xFE cd\nef gh\n")}, rules(), 1,
                      [&](const std::string& line) { noticed += line; });
  EXPECT_NE(noticed.find("1 line(s) were not UTF-8"), std::string::npos) << noticed;
}

TEST(BlockReader, CutsALongLineAfterABlankOrACharacter) {
  std::string line;
  while (line.size() < 3 * BlockReader::kBlockBytes) line += "ж";
  for (const bool blanks : {false, true}) {
    std::string text = line;
    if (blanks)
      text[BlockReader::kBlockBytes / 2 * 2 - 1000] = ' ', text[BlockReader::kBlockBytes / 2 * 2 - 999] = ' ';
    BlockReader reader(ByteStream::from_memory("text", text));
    std::string read;
    for (std::string_view block; reader.next(block);) {
      EXPECT_LE(block.size(), BlockReader::kBlockBytes);
      EXPECT_NE(static_cast<unsigned char>(block.front()) & 0xC0, 0x80) << "begins within a character";
      read += block;
    }
    EXPECT_EQ(read, text);
    EXPECT_EQ(reader.position(), static_cast<int64_t>(text.size()));
  }
}

// word2phrase's rule, with maps and strings.
std::vector<std::string> plain_phrases(const std::vector<std::vector<std::string>>& sentences,
                                       const PhraseOptions& options) {
  std::map<std::string, int64_t> words;
  std::map<std::pair<std::string, std::string>, int64_t> pairs;
  double total = 0;
  for (const auto& sentence : sentences)
    for (size_t i = 0; i < sentence.size(); ++i) {
      ++words[sentence[i]];
      ++total;
      if (i > 0) ++pairs[{sentence[i - 1], sentence[i]}];
    }
  std::vector<std::string> phrases;
  for (const auto& [pair, count] : pairs) {
    const auto a = words[pair.first], b = words[pair.second];
    if (a < options.min_count || b < options.min_count) continue;
    if (static_cast<double>(count - options.min_count) * total / static_cast<double>(a * b) >
        options.threshold)
      phrases.push_back(pair.first + "_" + pair.second);
  }
  return phrases;
}

TEST(Phrases, AreThoseOfTheFormulaAndAreJoinedFromTheLeft) {
  RandomStream random(3);
  std::vector<std::vector<std::string>> sentences;
  for (int s = 0; s < 400; ++s) {
    std::vector<std::string> sentence;
    for (int i = 0; i < 12; ++i) sentence.push_back("w" + std::to_string(random.below(30)));
    if (s % 3 == 0) sentence.insert(sentence.begin() + 4, {"new", "york", "city"});
    sentences.push_back(sentence);
  }
  const PhraseOptions options{.passes = 1, .threshold = 8, .min_count = 5};
  PhraseCounter counter;
  for (const auto& sentence : sentences) counter.add({sentence.begin(), sentence.end()});
  const auto phrases = counter.choose(options);
  const auto expected = plain_phrases(sentences, options);
  ASSERT_FALSE(expected.empty());
  EXPECT_EQ(phrases.size(), static_cast<int64_t>(expected.size()));
  for (const auto& phrase : expected) {
    const auto at = phrase.find('_');
    std::vector<std::string_view> tokens{std::string_view(phrase).substr(0, at),
                                         std::string_view(phrase).substr(at + 1)};
    phrases.join(tokens);
    EXPECT_EQ(tokens, std::vector<std::string_view>{phrase});
  }
  std::vector<std::string_view> tokens{"in", "new", "york", "city", "new", "york"};
  phrases.join(tokens);
  EXPECT_EQ(tokens, (std::vector<std::string_view>{"in", "new_york", "city", "new_york"}));
}

TEST(Phrases, TheRarestPairsGoWhenThereAreTooMany) {
  PhraseCounter counter(/*most_pairs=*/50);
  for (int i = 0; i < 400; ++i) {
    const std::string rare = "r" + std::to_string(i);
    counter.add({"new", "york", rare});
  }
  std::vector<std::string_view> tokens{"new", "york"};
  counter.choose({.passes = 1, .threshold = 1, .min_count = 2}).join(tokens);
  EXPECT_EQ(tokens.size(), 1u);
}

}  // namespace
}  // namespace semblance
