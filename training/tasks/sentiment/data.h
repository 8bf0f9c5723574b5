// From files of labelled texts to datasets.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "data/labelled_dataset.h"
#include "data/notice.h"
#include "data/readers/layout.h"
#include "data/text/features.h"
#include "models/losses.h"
#include "models/networks.h"
#include "training/tasks/sentiment/job.h"
#include "training/tasks/sentiment/labels.h"
#include "training/tasks/start_vectors.h"

namespace semblance {

/// Columns of an embedding where nobody says how many.
inline constexpr int64_t kDefaultDim = 16;

/// What a classifier is, apart from its weights.
struct ClassifierSetup {
  TextFeatures features;
  int64_t dim = 0;          ///< columns of the embedding
  PackedTable packed = {};  ///< the embedding, where a checkpoint has it so
  LabelSet labels = {};
  ClassificationLoss loss = ClassificationLoss::BceLogits;
  std::vector<double> class_weights = {};
  std::vector<int64_t> class_counts = {};  ///< of the training texts; none of a model that is served
  std::vector<float> idf = {};        ///< of each id by the training texts; empty where none is asked for
  std::optional<Layout> layout = {};  ///< of the files trained on; none in checkpoints of before
  std::string data_fingerprint = {};  ///< of the training data as encoded
  Json vectors = {};                  ///< see StartVectors::fill
};

/// All that training needs; `valid` and `test` are null where there is no such part.
struct SentimentData {
  std::unique_ptr<LabelledDataset> train, valid, test;
  ClassifierSetup setup;
};

/// Throws Error(Usage) for options that contradict each other, whatever the data.
void check_options(const SentimentJob& job);

/// Depends on the job and its files alone. Where `given` is set, the job's defaults that follow from the
/// texts are chosen, and `given` sets again what the user gave. Throws Error(Data) naming file and line,
/// Error(Usage) for options that do not fit the data.
SentimentData prepare_data(SentimentJob& job, const std::function<void(Job&)>& given,
                           const StartVectors& vectors, const Notice& notice);

/// `texts` with the labels of `rows`, which they are; null where there are none.
std::unique_ptr<LabelledDataset> make_dataset(RaggedIds texts, const RaggedIdsView& labels,
                                              std::span<const int64_t> rows, const ClassifierSetup& setup,
                                              const SentimentJob& job);

struct MeasuredTexts {
  std::unique_ptr<LabelledDataset> data;
  int64_t skipped = 0;      ///< rows left out
  Texts texts = {};         ///< as they were read
  Bulk<int64_t> rows = {};  ///< of `texts`, in the order of `data`
};
/// Labelled texts for measuring, in the terms of `setup`; `layout` describes the files, where they do not
/// have that of the training. Throws Error(Data).
MeasuredTexts read_for_measuring(std::span<const std::string> paths, const InputOptions& layout,
                                 const ClassifierSetup& setup, const SentimentJob& job, const Notice& notice);

/// What the job holds out for validation, in the terms of `setup`; no data where it holds out nothing. Throws
/// Error(Data).
MeasuredTexts read_validation(const ClassifierSetup& setup, const SentimentJob& job, const Notice& notice);

/// How often each row of n-grams occurs in the files trained on; 1 for each where they cannot be read.
std::vector<float> count_ngrams(const ClassifierSetup& setup, const SentimentJob& job);

/// How a text's words and n-grams are weighted.
RowWeighting weighting_of(const ClassifierOptions& model);

/// How texts become a batch for the job's model.
Collation collation_of(const ClassifierOptions& model);

}  // namespace semblance
