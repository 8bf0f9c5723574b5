// Word vectors as fastText's own model.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "data/config.h"
#include "data/notice.h"
#include "data/vectors/word_vectors.h"
#include "training/serving/served_model.h"

namespace semblance {

/// Writes `vectors` to `output`. Unknown words get the mean of their character n-grams' rows, which `ngrams`
/// has; null: they have none. fastText takes a word's vector for the mean of its own row and those of its
/// n-grams, so that its own row is set to make up for them: what was given comes back. Returns what was
/// written. Throws Error(Data) for a word that fastText cannot read.
Json write_fasttext_vectors(const WordVectors& vectors, const NgramTable* ngrams, const std::string& output,
                            const Notice& notice);

}  // namespace semblance
