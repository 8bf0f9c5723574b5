// Word vectors from wherever they are: a file, or a trained run.
#pragma once

#include <memory>
#include <string>

#include "data/notice.h"
#include "data/text/word_piece.h"
#include "data/vectors/word_vectors.h"
#include "training/serving/served_model.h"
#include "training/serving/word_encoder.h"

namespace semblance {

/// Of a file in any format, see WordVectors::load, or of a small model or the best checkpoint of a run that
/// has a table of words, whose rows they are; `pieces`, unless null, becomes what cuts the texts of a model
/// whose words are pieces. Throws Error(Data, Model).
WordVectors open_word_vectors(const std::string& path, const VectorFileOptions& options, const Notice& notice,
                              std::shared_ptr<const WordPiece>* pieces = nullptr);

/// A run's model, or a fastText model, that makes vectors of `dim` numbers for any word; 0: of any size.
/// Throws Error(Model).
std::shared_ptr<WordEncoder> open_word_encoder(const std::string& run, int64_t dim, const Notice& notice);

/// The n-grams of a trigram run. Throws Error(Model).
std::shared_ptr<const NgramTable> open_ngram_table(const std::string& run, const Notice& notice);

/// Whether the run at `path` is one that open_word_encoder takes.
bool encodes_words(const std::string& path, const Notice& notice);

}  // namespace semblance
