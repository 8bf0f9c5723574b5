// Word vectors as TensorBoard's projector reads them (row 9.3).
#pragma once

#include <filesystem>

#include "data/vectors/word_vectors.h"

namespace semblance {

/// Writes vectors.tsv, metadata.tsv (a word a line) and projector_config.pbtxt into `folder`, which is made
/// if it is not there: `tensorboard --logdir FOLDER` shows them. Blanks and control characters of words
/// become _. Throws Error(Model) where the folder cannot be written.
void write_projector(const WordVectors& vectors, const std::filesystem::path& folder);

}  // namespace semblance
