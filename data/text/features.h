// From texts to ids: cleaning and tokens, vocabulary, n-grams, as one object that training and serving share
// and that saves and loads itself.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "data/config.h"
#include "data/ragged.h"
#include "data/text/ngrams.h"
#include "data/text/text_pipeline.h"
#include "data/text/tokenized_texts.h"
#include "data/text/vocabulary.h"

namespace semblance {

struct EncodedIds {
  RaggedIds ids;  ///< a row for each text
  int64_t tokens = 0, unknown_tokens = 0;
};

/// Ids of a text: its words (those outside the vocabulary become UNK, or nothing where there is none), then
/// its word n-grams, then the character n-grams of all its words; those of n-grams follow the vocabulary's.
/// Its const functions may be called from several threads at once.
class TextFeatures {
 public:
  /// What a checkpoint holds of it.
  using Files = std::map<std::string, std::string>;
  static constexpr const char* kVocabularyFile = "vocabulary.txt";
  static constexpr const char* kNgramRowsFile = "ngram_rows.bin";
  static constexpr const char* kTokenizerFile = "tokenizer.json";  ///< of word pieces

  /// With an empty vocabulary. Reads the stop-word file that `text` may name. Throws Error(Usage, Data).
  TextFeatures(const TextOptions& text, const NgramOptions& ngrams,
               std::shared_ptr<const WordPiece> pieces = nullptr);
  /// As `save` and `describe` left it; `source` names the checkpoint in messages. Throws Error(Model),
  /// std::out_of_range or Json::exception where something is not as it should be.
  static TextFeatures load(const TextOptions& text, const NgramOptions& ngrams, const Files& files,
                           const Json& description, const std::string& source);

  /// Throws Error(Usage) as the constructor does.
  void set_ngrams(const NgramOptions& ngrams);
  void set_vocabulary(Vocabulary vocabulary) { vocabulary_ = std::move(vocabulary); }
  const Vocabulary& vocabulary() const { return vocabulary_; }
  const TextPipeline& pipeline() const { return pipeline_; }
  /// Words, without PAD and UNK.
  int64_t words() const { return vocabulary_.words(); }
  /// Rows that n-grams take, which come last.
  int64_t ngram_rows() const { return ngram_rows_.size(); }
  /// Rows of a table of all ids.
  int64_t rows() const { return vocabulary_.size() + ngram_rows(); }

  /// Cuts many texts into tokens, which the vocabulary is then made of. The result does not depend on the
  /// number of threads.
  TokenizedTexts tokenize(const Texts& texts, int threads) const;
  /// The given rows of what `tokenize` made, as ids; of n-grams, those of the rows that `fit` has found.
  RaggedIds encode(const TokenizedTexts& tokens, std::span<const int64_t> rows, int threads) const;
  /// Finds which n-grams have a row: by the given rows, which are the texts to train on. Returns them
  /// encoded.
  RaggedIds fit(const TokenizedTexts& tokens, std::span<const int64_t> rows, int threads);
  /// Leaves rows of their own to those n-grams alone whose rows, counted without the words, `kept` names,
  /// ascending; the others share one.
  void share_ngram_rows(std::span<const int32_t> kept);
  /// The same straight from the texts, which are well-formed UTF-8.
  EncodedIds encode(const Texts& texts, int threads) const;

  /// Adds the files of the vocabulary, of the n-grams' rows and of word pieces, and to an object of JSON what
  /// else is needed: stop_words and vocabulary (its size).
  void save(Files& files) const;
  void describe(Json& description) const;

 private:
  TextFeatures(TextPipeline pipeline, const NgramOptions& ngrams, Vocabulary vocabulary);
  bool chooses_ngram_rows() const { return ngrams_.min_count > 0 && ngrams_.all_buckets() > 0; }
  bool hashes_words() const { return ngrams_.hash == NgramHash::FastText && ngrams_.longest > 1; }
  // Of the words whose ids stand in `ids` from `begin` on, or whose hashes are given, where words are hashed.
  void append_word_ngrams(size_t begin, Bulk<int32_t>& hashes, Bulk<int32_t>& ids) const;
  void append_char_ngrams(std::string_view word, Bulk<int32_t>& ids) const;
  // What stands in `ids` from `begin` on are buckets: makes them the ids of their rows, without those that
  // have none.
  void name_rows(size_t begin, Bulk<int32_t>& ids) const;

  TextPipeline pipeline_;
  NgramOptions ngrams_;
  Vocabulary vocabulary_;
  NgramRows ngram_rows_;
};

}  // namespace semblance
