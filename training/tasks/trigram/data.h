// From a file of word vectors to words to learn from.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>

#include "data/notice.h"
#include "data/text/ngram_index.h"
#include "data/vector_dataset.h"
#include "training/tasks/trigram/job.h"

namespace semblance {

/// What a trigram model is, apart from its weights.
struct TrigramSetup {
  static constexpr const char* kIndexFile = "runs.txt";  ///< of a checkpoint

  NgramIndex index;
  int64_t dim = 0;
  at::Tensor mean;               ///< float [dim]: of the training words' vectors
  std::string data_fingerprint;  ///< of the training data as encoded
};

/// All that training needs; `held_out` is null where no words are held out.
struct TrigramData {
  std::unique_ptr<VectorDataset> train, held_out;
  Texts held_out_words;  ///< of the rows of `held_out`
  TrigramSetup setup;
};

/// Depends on the job and its files alone. Throws Error(Usage) and Error(Data) naming what is wrong.
TrigramData prepare_data(const TrigramJob& job, const Notice& notice);

}  // namespace semblance
