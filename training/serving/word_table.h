// Words' rows of a model's table, as word vectors.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

#include "data/text/vocabulary.h"
#include "data/vectors/word_vectors.h"

namespace semblance {

/// The words of `vocabulary`, the most frequent first, with copies of their rows of a table: float [words,
/// dim]. `source` stands for a path in messages.
WordVectors word_rows(const Vocabulary& vocabulary, const at::Tensor& rows, const std::string& source);

}  // namespace semblance
