// How good word vectors are (row 3.3): analogies and word-similarity sets, measured as gensim measures them.
#pragma once

#include <cstdint>
#include <string>

#include "data/config.h"
#include "data/vectors/word_vectors.h"
#include "training/measures/word_set_options.h"
#include "training/serving/word_encoder.h"

namespace semblance {

/// Reads `path`, in which sections (": name") of four words a line are analogies, and lines of two words and
/// a number are similarities (between blanks or tabs; # begins a comment), and measures `vectors`.
///
/// Analogies a : b = c : d: whether d is the word nearest to b - a + c (unit vectors), a, b and c set aside.
/// The report: accuracy, correct, examples, skipped (with an unknown word), coverage, sections (a list of
/// those by section). Similarities: spearman (ties share their mean rank) and pearson correlation of cosine
/// and number, examples, skipped, coverage. With `oov`, which is for similarities alone, words that are not
/// known get their vectors from it (in lower case where case does not count); `oov` in the report counts the
/// examples with such a word. Throws Error(Data) naming file and line.
Json evaluate_word_set(const WordVectors& vectors, const std::string& path, const WordSetOptions& options,
                       const WordEncoder* oov = nullptr);

/// The same for a set of similarities of which `encoder` gives every word its vector.
Json evaluate_word_set(const WordEncoder& encoder, const std::string& path, const WordSetOptions& options);

}  // namespace semblance
