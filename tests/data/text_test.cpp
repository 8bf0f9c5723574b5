#include <gtest/gtest.h>

#include <algorithm>

#include "data/error.h"
#include "data/text/features.h"
#include "data/text/markup.h"
#include "data/text/ngrams.h"
#include "data/text/text_pipeline.h"
#include "data/text/token_weights.h"
#include "data/text/tokenized_texts.h"
#include "data/text/unicode.h"
#include "data/text/word_piece.h"

namespace semblance {
namespace {

using Words = std::vector<std::string>;

Words tokens(const TextOptions& options, std::string_view text) {
  const TextPipeline pipeline(options);
  TokenBuffer buffer;
  pipeline.tokenize(text, buffer);
  return {buffer.tokens.begin(), buffer.tokens.end()};
}

TextOptions untouched(Tokenizer tokenizer) {
  return {.tokenizer = tokenizer, .nfc = false, .lowercase = false, .strip_punctuation = false};
}

TEST(Preprocessor, LowerCasesAllOfUnicode) {
  EXPECT_EQ(tokens({}, "ПРИВЕТ Ёлка ÀÉ ΑΒ ǅ ẞ"), (Words{"привет", "ёлка", "àé", "αβ", "ǆ", "ß"}));
  EXPECT_EQ(tokens({}, "ΟΔΟΣ, ΟΔΟΣ ΣΑΣ Σ ΣΊΣΥΦΟΣ' İ"),
            (Words{"οδος", "οδος", "σας", "σ", "σίσυφος", "i\u0307"}));  // as Python's str.lower
  EXPECT_EQ(tokens({.lowercase = false}, "ПРИВЕТ Mixed"), (Words{"ПРИВЕТ", "Mixed"}));
}

TEST(Preprocessor, ReplacesPunctuationAndControlCharactersBySpaces) {
  const TextOptions options{.tokenizer = Tokenizer::Whitespace};
  EXPECT_EQ(tokens(options,
                   "a,b\x01"
                   "c«d»e—f…g$h"),
            (Words{"a", "b", "c", "d", "e", "f", "g", "h"}));
  EXPECT_EQ(tokens(options, "don't 😀 5€"), (Words{"don", "t", "😀", "5€"}))
      << "symbols outside ASCII are no punctuation";
  EXPECT_EQ(tokens({.tokenizer = Tokenizer::Whitespace, .strip_punctuation = false}, "a,b"), (Words{"a,b"}));
  EXPECT_EQ(tokens({.tokenizer = Tokenizer::Whitespace, .strip_characters = "xж"}, "1x2ж3,4"),
            (Words{"1", "2", "3,4"}));
}

// T10
TEST(Preprocessor, ComposesLettersAndTheirMarks) {
  EXPECT_EQ(tokens({}, "cafe\u0301 и\u0306од \u212B"), (Words{"café", "йод", "å"}));
  EXPECT_EQ(tokens({.nfc = false}, "cafe\u0301"), (Words{"cafe\u0301"}));
  EXPECT_TRUE(is_composed("Ünïcode ёжик 日本 한국"));
  EXPECT_FALSE(is_composed("\u1112\u1161\u11AB"));
}

TEST(Preprocessor, DropsStopWordsAndShortWords) {
  EXPECT_EQ(tokens({.stopwords = "en"}, "This is the film"), (Words{"film"}));
  EXPECT_EQ(tokens({.stopwords = "ru"}, "Это был очень хороший фильм"), (Words{"очень", "хороший", "фильм"}));
  EXPECT_EQ(tokens({.min_word_length = 3}, "да или нет ёж cat at"), (Words{"или", "нет", "cat"}))
      << "characters, not bytes";
}

TEST(Tokenizer, WordsAreLettersDigitsMarksAndInnerApostrophes) {
  const auto options = untouched(Tokenizer::Words);
  EXPECT_EQ(tokens(options, "don't ''quoted'' rock’n’roll's' x2 a_b"),
            (Words{"don't", "quoted", "rock’n’roll's", "x2", "a", "b"}));
  EXPECT_EQ(tokens(options, "e\u0301te\u0301, 😀 naïve—yes"), (Words{"e\u0301te\u0301", "naïve", "yes"}));
  EXPECT_EQ(tokens(options, "' ’ --"), Words{});
}

TEST(Tokenizer, WordPunctAlternatesAsNltkDoes) {
  EXPECT_EQ(tokens(untouched(Tokenizer::WordPunct), "Can't stop... it's_ok :)) 3.14"),
            (Words{"Can", "'", "t", "stop", "...", "it", "'", "s_ok", ":))", "3", ".", "14"}));
}

TEST(Tokenizer, WhitespaceIsUnicodes) {
  EXPECT_EQ(tokens(untouched(Tokenizer::Whitespace),
                   "a\u00A0b\u2003c\td\u0085"
                   "e\r\nf"),
            (Words{"a", "b", "c", "d", "e", "f"}));
}

TEST(Tokenizer, EmptyTextsHaveNoTokens) {
  for (const auto tokenizer : {Tokenizer::Words, Tokenizer::Whitespace, Tokenizer::WordPunct}) {
    EXPECT_EQ(tokens(untouched(tokenizer), ""), Words{});
    EXPECT_EQ(tokens(untouched(tokenizer), " \n "), Words{});
  }
}

// One replacement for each maximal part, as Python's errors="replace" has it.
TEST(Utf8, IllFormedPartsBecomeReplacementCharacters) {
  const auto repaired = [](std::string_view text) {
    std::string out;
    const auto count = append_valid_utf8(text, out);
    EXPECT_TRUE(is_valid_utf8(out));
    return std::pair(out, count);
  };
  EXPECT_EQ(repaired("plain тест 😀"), std::pair(std::string("plain тест 😀"), int64_t{0}));
  EXPECT_EQ(repaired("caf\xE9!"), std::pair(std::string("caf\uFFFD!"), int64_t{1}));
  EXPECT_EQ(repaired("\xF0\x9F\x98"), std::pair(std::string("\uFFFD"), int64_t{1}))
      << "a cut character is one part";
  EXPECT_EQ(repaired("\xED\xA0\x80"), std::pair(std::string("\uFFFD\uFFFD\uFFFD"), int64_t{3}))
      << "a surrogate is none";
  EXPECT_EQ(repaired("\xC0\xAF\xFF"), std::pair(std::string("\uFFFD\uFFFD\uFFFD"), int64_t{3}))
      << "overlong forms";
  for (const char* bad : {"\x80", "\xC2", "\xE0\x80\x80", "\xF4\x90\x80\x80", "\xF8\x88"})
    EXPECT_FALSE(is_valid_utf8(bad));
}

TEST(Utf8, DecodingAndEncodingAgree) {
  for (const char32_t c :
       {U'\0', U'a', U'\x7F', U'\x80', U'\x7FF', U'\x800', U'\uFFFD', U'\x10000', U'\x10FFFF'}) {
    std::string text;
    append_utf8(c, text);
    size_t position = 0;
    EXPECT_EQ(decode_utf8(text, position), c);
    EXPECT_EQ(position, text.size());
    EXPECT_EQ(count_characters(text), 1u);
  }
}

Texts many_texts() {
  Texts texts;
  for (int i = 0; i < 5000; ++i)
    texts.push_back("word" + std::to_string(i % 700) + " Слово" + std::to_string(i % 13) + " x");
  return texts;
}

TEST(TokenizedTexts, DoNotDependOnTheNumberOfThreads) {
  const TextPipeline pipeline(TextOptions{});
  const auto one = tokenize(many_texts(), pipeline, 1), three = tokenize(many_texts(), pipeline, 3);
  EXPECT_EQ(one.tokens.values, three.tokens.values);
  EXPECT_EQ(one.tokens.offsets, three.tokens.offsets);
  ASSERT_EQ(one.words.size(), three.words.size());
  for (int32_t i = 0; i < one.words.size(); ++i) EXPECT_EQ(one.words[i], three.words[i]);
}

TEST(TokenizedTexts, DuplicatesAreTextsWithEqualTokens) {
  Texts texts;
  for (const auto* text : {"Good film!", "bad film", "good, FILM", "", "!!!"})
    texts.push_back(std::string_view(text));
  EXPECT_EQ(tokenize(texts, TextPipeline(TextOptions{}), 1).duplicate_groups(),
            (Bulk<int64_t>{0, 1, 0, 3, 3}));
}

Bulk<int32_t> runs_of(const std::vector<int32_t>& words) {
  Bulk<int32_t> ids;
  append_ngrams(words, 100, {.longest = 3, .buckets = 10}, ids);
  return ids;
}

TEST(Ngrams, AreEveryRunOfUpToThreeWords) {
  const auto three = runs_of({5, 6, 7}), two = runs_of({5, 6});
  EXPECT_EQ(three.size(), 3) << "5 6, 5 6 7, 6 7";
  ASSERT_EQ(two.size(), 1);
  EXPECT_TRUE(runs_of({}).empty());
  EXPECT_EQ(three[0], two[0]) << "the same run, the same bucket";
  for (const auto id : three) EXPECT_TRUE(id >= 100 && id < 110);
}

Bulk<int32_t> char_runs_of(std::string_view word, int64_t shortest, int64_t longest) {
  Bulk<int32_t> ids;
  append_char_ngrams(word, 7, {.longest_chars = longest, .shortest_chars = shortest, .char_buckets = 1 << 30},
                     ids);
  return ids;
}

TEST(CharacterNgrams, CountCharactersNotBytes) {
  EXPECT_EQ(char_runs_of("cat", 3, 3).size(), 3) << "<ca cat at>";
  EXPECT_EQ(char_runs_of("кот", 3, 3).size(), 3);
  EXPECT_EQ(char_runs_of("cat", 3, 6).size(), 3 + 2 + 1);
  EXPECT_EQ(char_runs_of("cat", 1, 1).size(), 3) << "the marks alone are none";
  EXPECT_EQ(char_runs_of("a", 3, 6).size(), 1) << "<a>";
  EXPECT_TRUE(char_runs_of("", 3, 6).empty());
  EXPECT_TRUE(char_runs_of("cat", 3, 0).empty());
}

TEST(CharacterNgrams, TellAWordsEndsFromItsMiddle) {
  const auto cat = char_runs_of("cat", 3, 3), concatenate = char_runs_of("concatenate", 3, 3);
  EXPECT_NE(std::ranges::find(concatenate, cat[1]), concatenate.end());
  EXPECT_EQ(std::ranges::find(concatenate, cat[0]), concatenate.end());
  EXPECT_EQ(std::ranges::find(concatenate, cat[2]), concatenate.end());
}

TEST(CharacterNgrams, AreThereForUnknownWordsAndAreTheSameForOneTextAndForMany) {
  Texts texts;
  for (const std::string text : {"good cat", "bad cat", "a word unseen"}) texts.push_back(text);
  const NgramOptions ngrams{
      .longest = 2, .buckets = 50, .longest_chars = 4, .char_buckets = 60, .min_count = 0};
  TextFeatures features({}, ngrams);
  const auto tokenized = features.tokenize(texts, 2);
  const std::vector<int64_t> all{0, 1, 2}, known{0, 1};
  features.set_vocabulary(Vocabulary(tokenized.words, tokenized.count(known), {}));
  EXPECT_EQ(features.fit(tokenized, known, 2).size(), 2);
  const auto encoded = features.encode(tokenized, all, 2);
  EXPECT_GT(encoded.length(2), 0);
  for (const auto id : encoded[2])
    EXPECT_TRUE(id >= features.vocabulary().size() + 50 && id < features.rows());
  const auto straight = features.encode(texts, 2);
  EXPECT_EQ(straight.ids.values, encoded.values);
  EXPECT_EQ(straight.ids.offsets, encoded.offsets);
  EXPECT_EQ(straight.tokens, 7);
  EXPECT_EQ(straight.unknown_tokens, 3);
}

TEST(TextFeatures, GiveRowsToTheNgramsOfTheTrainingTextsAlone) {
  Texts texts;
  for (const std::string text : {"good cat", "bad cat", "good cat", "cat bad"}) texts.push_back(text);
  const std::vector<int64_t> training{0, 1, 2}, unseen{3};
  const auto rows_with = [&](int64_t min_count) {
    TextFeatures features({}, {.longest = 2, .buckets = 1000, .min_count = min_count});
    const auto tokens = features.tokenize(texts, 1);
    features.set_vocabulary(Vocabulary(tokens.words, tokens.count(training), {}));
    const auto fitted = features.fit(tokens, training, 1);
    EXPECT_EQ(fitted.values, features.encode(tokens, training, 1).values);
    EXPECT_EQ(fitted.offsets, features.encode(tokens, training, 1).offsets);
    for (const int32_t id : fitted.values) EXPECT_LT(id, features.rows());
    EXPECT_EQ(features.encode(tokens, unseen, 1).values.size(), min_count == 0 ? 3u : 2u);
    return features.ngram_rows();
  };
  EXPECT_EQ(rows_with(0), 1000);
  EXPECT_EQ(rows_with(1), 2);  // "good cat", "bad cat"
  EXPECT_EQ(rows_with(2), 1);
}

TEST(NgramRows, NumberTheBucketsThatOccurOftenEnough) {
  const std::vector<int32_t> occurrences{7, 130, 7, 0, 130, 130};
  const NgramRows rows(131, occurrences, /*first=*/0, 2);
  EXPECT_EQ(rows.size(), 2);
  EXPECT_EQ(rows.row(7), 0);
  EXPECT_EQ(rows.row(130), 1);
  for (const int32_t bucket : {0, 6, 8, 64, 129}) EXPECT_EQ(rows.row(bucket), -1);
  EXPECT_EQ(NgramRows::all(131).row(130), 130);

  const auto bytes = rows.serialize();
  const auto again = NgramRows::parse(131, bytes, "rows");
  EXPECT_EQ(again.size(), 2);
  EXPECT_EQ(again.row(130), 1);
  EXPECT_THROW(NgramRows::parse(130, bytes, "rows"), Error);  // a bit beyond the last bucket
  EXPECT_THROW(NgramRows::parse(200, bytes, "rows"), Error);
}

TEST(NgramRows, ThatAreNotKeptShareTheLast) {
  const std::vector<int32_t> occurrences{3, 7, 64, 130};
  const std::vector<int32_t> kept{1, 3};  // buckets 7 and 130
  const auto rows = NgramRows(131, occurrences, /*first=*/0, 1).share_all_but(kept);
  const auto again = NgramRows::parse(131, rows.serialize(), "rows");
  for (const auto* either : {&rows, &again}) {
    EXPECT_EQ(either->size(), 3);
    EXPECT_EQ(either->row(7), 0);
    EXPECT_EQ(either->row(130), 1);
    EXPECT_EQ(either->row(3), 2);
    EXPECT_EQ(either->row(64), 2);
    EXPECT_EQ(either->row(8), -1);
  }
  EXPECT_THROW(NgramRows::parse(131, rows.serialize() + "x", "rows"), Error);
}

TEST(TextFeatures, ComeBackFromWhatTheySave) {
  Texts texts;
  for (const std::string text : {"the good cat", "the bad cat"}) texts.push_back(text);
  const TextOptions text{.stopwords = "en"};
  const NgramOptions ngrams{.longest = 2, .buckets = 50};
  TextFeatures features(text, ngrams);
  const auto tokens = features.tokenize(texts, 2);
  const std::vector<int64_t> both{0, 1};
  features.set_vocabulary(Vocabulary(tokens.words, tokens.count(both), {.unknown_word = true}));
  features.fit(tokens, both, 2);
  TextFeatures::Files files;
  Json description;
  features.save(files);
  features.describe(description);
  const auto again = TextFeatures::load(text, ngrams, files, description, "run");
  EXPECT_EQ(again.encode(texts, 2).ids.values, features.encode(texts, 2).ids.values);
  EXPECT_EQ(again.words(), 3);
  EXPECT_EQ(again.pipeline().stop_words(), features.pipeline().stop_words());

  description["vocabulary"] = 17;
  EXPECT_THROW(TextFeatures::load(text, ngrams, files, description, "run"), Error);
  EXPECT_THROW(TextFeatures::load(text, ngrams, {}, description, "run"), std::out_of_range);
}

TEST(TokenWeights, IdfIsScikitLearns) {
  // TfidfVectorizer's idf_ of "a a b", "a c", "a"; nobody has word 3.
  RaggedIds texts;
  texts.push_back(std::vector<int32_t>{0, 0, 1});
  texts.push_back(std::vector<int32_t>{0, 2});
  texts.push_back(std::vector<int32_t>{0});
  const auto idf = inverse_document_frequencies(texts, 4);
  EXPECT_FLOAT_EQ(idf[0], 1.0f);
  EXPECT_NEAR(idf[1], 1.6931472, 1e-6);
  EXPECT_NEAR(idf[2], 1.6931472, 1e-6);
  EXPECT_EQ(idf[3], 0.0f);
}

TEST(EscapeMarkup, NothingEndsATagOrAnAttribute) {
  EXPECT_EQ(escape_markup("</script><a b='c' d=\"e\">&lt;"),
            "&lt;/script&gt;&lt;a b=&#39;c&#39; d=&quot;e&quot;&gt;&amp;lt;");
  EXPECT_EQ(escape_markup(std::string_view("ж\0\x1b[1m\t\n\x7f", 10)), "ж\uFFFD\uFFFD[1m\t\n\uFFFD");
}

// The list of a tokenizer.json; tests/apps/test_static_folders.py holds it against the library.
std::string tokenizer_json(const std::string& pieces) {
  return R"({"model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
    "max_input_chars_per_word": 100, "vocab": {)" +
         pieces +
         R"(}}, "normalizer": {"type": "BertNormalizer"}, "pre_tokenizer": {"type": "BertPreTokenizer"},
    "added_tokens": [{"id": 0, "content": "[UNK]"}]})";
}

Words pieces_of(const WordPiece& pieces, std::string_view text) {
  TokenBuffer buffer;
  pieces.tokenize(text, buffer);
  return {buffer.tokens.begin(), buffer.tokens.end()};
}

TEST(WordPiece, CutsWordsIntoTheLongestPiecesFromTheLeft) {
  WordPiece pieces(
      tokenizer_json(R"("[UNK]": 0, "un": 1, "##able": 2, "##a": 3, "open": 4, ",": 5, "中": 6, "cafe": 7)"),
      "tokenizer.json");
  EXPECT_EQ(pieces_of(pieces, "Unable, OPEN"), (Words{"un", "##able", ",", "open"}));
  EXPECT_EQ(pieces_of(pieces, "una unx"), (Words{"un", "##a", "[UNK]"}))
      << "all of a word is unknown, or nothing";
  EXPECT_EQ(pieces_of(pieces, "Café 中open"), (Words{"cafe", "中", "open"}));
  EXPECT_EQ(pieces_of(pieces, "open[UNK]open"), (Words{"open", "[UNK]", "open"}))
      << "added tokens stand as they are";
  const WordPiece again(pieces.serialize(), "again");
  EXPECT_EQ(pieces_of(again, "Unable, OPEN"), (Words{"un", "##able", ",", "open"}));
  pieces.limit(/*characters=*/0, /*pieces=*/3);
  EXPECT_EQ(pieces_of(pieces, "x unable, open"), (Words{"[UNK]", "un", "##able"}));
  pieces.drop_unknown();
  EXPECT_EQ(pieces_of(pieces, "x unable, open"), (Words{"un", "##able"})) << "cut before, as model2vec does";
}

TEST(WordPiece, NamesWhatIsNoWordPiece) {
  for (const auto* wrong :
       {"", "3", "{}", R"({"model": {"type": "BPE"}})", R"({"model": {"type": "WordPiece"}})"})
    EXPECT_THROW(WordPiece(wrong, "t"), Error) << wrong;
  EXPECT_THROW(WordPiece(tokenizer_json(R"("[UNK]": 0, "a": 2)"), "t"), Error) << "a number is left out";
  EXPECT_THROW(WordPiece(tokenizer_json(R"("a": 0)"), "t"), Error) << "nothing for unknown words";
}

}  // namespace
}  // namespace semblance
