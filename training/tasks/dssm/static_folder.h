// Folders of sentence-transformers and of model2vec whose texts are means of word pieces' vectors (row 9.1),
// as encoders of this program.
#pragma once

#include <string>

#include "data/notice.h"
#include "training/checkpoint.h"

namespace semblance {

/// Whether `path` is a folder of one of the two.
bool is_static_folder(const std::string& path);

/// What a dssm training that ended with this model would have written. A folder of sentence-transformers
/// (embedding.weight) is read as that reads it; one of model2vec (embeddings, with mapping and weights),
/// which both open, as model2vec does: unknown words are left out, and texts end where its max_length says,
/// of which `notice` is told. Throws Error(Model) that names what a folder holds and this program does not
/// read: another tokenizer, another module.
Checkpoint read_static_folder(const std::string& folder, const Notice& notice);

}  // namespace semblance
