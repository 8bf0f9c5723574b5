// From a text to its tokens: cleaning (rows 1.1 of the feature table) and tokenising (1.2). Training and
// serving share this one path.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "data/fields.h"
#include "data/text/word_piece.h"

namespace semblance {

enum class Tokenizer {
  Words,       ///< runs of letters, numbers, marks and inner apostrophes
  Whitespace,  ///< runs of anything but white space
  WordPunct,   ///< alternating runs of word characters (letters, numbers, _) and of other visible characters
  WordPiece,   ///< pieces of words, cleaned and cut as their list says
};

template <>
struct EnumNames<Tokenizer> {
  static constexpr std::array names{
      std::pair{Tokenizer::Words, "words"}, std::pair{Tokenizer::Whitespace, "whitespace"},
      std::pair{Tokenizer::WordPunct, "wordpunct"}, std::pair{Tokenizer::WordPiece, "wordpiece"}};
};

struct TextOptions {
  Tokenizer tokenizer = Tokenizer::Words;
  bool nfc = true;
  bool lowercase = true;
  bool strip_punctuation = true;
  std::string
      strip_characters;  ///< what strip_punctuation replaces; empty: punctuation and control characters
  std::string stopwords = "none";
  int64_t min_word_length = 1;

  void fields(FieldList& list) {
    list.add(
        "tokenizer", tokenizer,
        {.help = "how a text is cut into tokens; wordpiece: as the model of --vectors cleans and cuts it"});
    list.add("nfc", nfc,
             {.help = "compose letters and their marks (Unicode NFC): é is one letter however it was typed",
              .before = "false"});
    list.add("lowercase", lowercase, {.help = "fold upper case to lower case (Unicode)"});
    list.add("strip-punctuation", strip_punctuation,
             {.help = "replace punctuation and control characters by spaces"});
    list.add(
        "strip-characters", strip_characters,
        {.help = "the characters that --strip-punctuation replaces, instead of those", .hint = "CHARACTERS"});
    list.add("stopwords", stopwords, {.help = "drop these words", .hint = "none|en|ru|FILE"});
    list.add("min-word-length", min_word_length,
             {.help = "drop shorter words; in characters", .min = 1, .max = 1000});
  }
};

/// Tokens of one text. The views point into `text`, into the source or into the list of pieces; reused from
/// text to text.
struct TokenBuffer {
  std::string text, composed;
  std::vector<std::string_view> tokens;
};

/// Never changes once made, so any number of threads may use it at once, each with a TokenBuffer of its own.
class TextPipeline {
 public:
  /// Reads the stop-word file that `options` may name; `pieces` are those of the tokenizer wordpiece. Throws
  /// Error(Data), and Error(Usage) where those are missing.
  explicit TextPipeline(const TextOptions& options, std::shared_ptr<const WordPiece> pieces = nullptr);
  /// With the stop words given, whatever `options.stopwords` says (as stored with a trained model).
  TextPipeline(const TextOptions& options, std::vector<std::string> stop_words,
               std::shared_ptr<const WordPiece> pieces = nullptr);

  /// Cleans and cuts `text`, which must be well-formed UTF-8.
  void tokenize(std::string_view text, TokenBuffer& buffer) const;

  const TextOptions& options() const { return options_; }
  /// The stop words in force, sorted.
  std::vector<std::string> stop_words() const;
  /// Null of the other tokenizers.
  const std::shared_ptr<const WordPiece>& word_piece() const { return word_piece_; }

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };

  void clean(std::string_view text, std::string& out) const;
  bool strips(char32_t character) const;
  bool keeps(std::string_view token) const;

  TextOptions options_;
  std::shared_ptr<const WordPiece> word_piece_;
  std::unordered_set<std::string, Hash, std::equal_to<>> stop_words_;
  std::vector<char32_t> strip_characters_;  // sorted
  std::array<char, 128> ascii_{};           // what cleaning makes of an ASCII character
};

}  // namespace semblance
