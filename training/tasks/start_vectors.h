// Starting a model's embedding from word vectors (row 2.7).
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <optional>

#include "data/config.h"
#include "data/notice.h"
#include "data/ragged.h"
#include "data/readers/table_options.h"
#include "data/text/text_pipeline.h"
#include "data/text/tokenized_texts.h"
#include "data/text/vocabulary.h"
#include "data/text/word_piece.h"
#include "data/vectors/word_vectors.h"
#include "training/serving/word_encoder.h"
#include "training/tasks/start_options.h"

namespace semblance {

struct Job;
struct RunRequest;

/// Of a training that goes on from a checkpoint nothing is opened: the table, and what is told of it, come
/// from there.
class StartVectors {
 public:
  /// Opens what `options` name. Throws Error(Usage) for options that lack --vectors, and as open_word_vectors
  /// and open_word_encoder do.
  StartVectors(const StartOptions& options, BadRows bad_rows, const RunRequest& request);

  /// What cuts the texts of a model whose words are pieces; null where --vectors names none such.
  const std::shared_ptr<const WordPiece>& word_piece() const { return word_piece_; }

  /// Where the words are pieces, and the training is a new one: has `text`, which is the job's, cut into
  /// those unless another way was given, and tells of it.
  void choose_tokenizer(Job& job, TextOptions& text, const RunRequest& request) const;

  /// The columns of an embedding: those of the vectors where they are given, else `chosen`, 0 standing for
  /// `otherwise`. Throws Error(Usage) where `chosen` is neither 0 nor that.
  int64_t dim(int64_t chosen, int64_t otherwise) const;

  /// The vocabulary of the given texts and, if the options say so, of the vectors.
  Vocabulary vocabulary(TokenizedTexts& tokens, std::span<const int64_t> texts,
                        const VocabularyOptions& options) const;

  /// Writes the words' vectors to `embedding`, float [rows, dim], where there are any; other rows stay. Lets
  /// go of the vectors. Tells how many words of `texts`, the training texts' ids, have one, and returns it,
  /// null if no vectors are given: words, known_words, tokens, known_tokens, coverage (known shares of words
  /// as types, and of tokens); of the vocabulary, from_ngrams (whose vectors a trigram run made) and fresh.
  Json fill(const Vocabulary& vocabulary, const RaggedIdsView& texts, at::Tensor& embedding,
            const Notice& notice);

 private:
  StartOptions options_;
  std::optional<WordVectors> table_;
  std::shared_ptr<WordEncoder> encoder_;
  std::shared_ptr<const WordPiece> word_piece_;
  int64_t dim_ = 0;  // 0: none are given
  Vocabulary resumed_words_;
  Json resumed_report_;
};

}  // namespace semblance
