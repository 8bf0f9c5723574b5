// Words' rows of a model's table, as word vectors.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

#include "data/text/vocabulary.h"
#include "data/vectors/word_vectors.h"

namespace semblance {

/// Copies of the rows of `table`, float [rows, dim], that belong to words of `vocabulary`, in its order: the
/// most frequent first. `source` stands for a path in messages.
WordVectors word_rows(const Vocabulary& vocabulary, const at::Tensor& table, const std::string& source);

}  // namespace semblance
