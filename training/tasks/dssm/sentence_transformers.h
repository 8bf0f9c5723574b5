// A question encoder as a folder that sentence-transformers and model2vec open (row 9.1).
#pragma once

#include <filesystem>

#include "data/config.h"
#include "data/notice.h"
#include "training/tasks/dssm/job.h"

namespace semblance {

class DssmTask;

/// Writes the folder, which must be new, empty or an earlier export. Words alone are a tokenizer.json and a
/// StaticEmbedding, for both; n-grams, weights and unknown words' row come as a module of Python in the
/// folder, for sentence-transformers. Returns what was written. Throws Error(Usage) for what neither can say,
/// Error(Model) where the folder cannot be written.
Json write_sentence_transformers(DssmTask& task, const DssmJob& job, const std::filesystem::path& folder,
                                 const Notice& notice);

}  // namespace semblance
