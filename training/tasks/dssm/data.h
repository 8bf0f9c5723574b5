// From rows of duplicates to pairs to train on and rows to rank.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "data/notice.h"
#include "data/ranking_rows.h"
#include "data/text/features.h"
#include "data/text_pairs.h"
#include "training/tasks/dssm/job.h"
#include "training/tasks/start_vectors.h"

namespace semblance {

/// What an encoder is, apart from its weights.
struct DssmSetup {
  TextFeatures features;
  int64_t dim = 0;                    ///< columns of the embedding
  PackedTable packed = {};            ///< the embedding, where a checkpoint has it so
  RowLayout rows = {};                ///< of the training files
  std::vector<float> idf = {};        ///< of each id by the training texts; empty where none is asked for
  std::string data_fingerprint = {};  ///< of the training data as encoded
  Json vectors = {};                  ///< see StartVectors::fill
};

/// All that training needs; `valid` and `test` are null where there is no such part.
struct DssmData {
  std::unique_ptr<PairDataset> train;
  std::unique_ptr<RankingDataset> valid, test;
  DssmSetup setup;
};

/// Throws Error(Usage) for options that contradict each other, whatever the data.
void check_options(const DssmJob& job);

/// Depends on the job and its files alone. Throws Error(Data) naming file and line.
DssmData prepare_data(const DssmJob& job, const StartVectors& vectors, const Notice& notice);

/// What the job holds out for validation, in the terms of `setup`: no row where it holds out nothing. Throws
/// Error(Data).
RankingRows read_validation(const DssmSetup& setup, const DssmJob& job, const Notice& notice);

/// The same, encoded; null where there is no row.
std::unique_ptr<RankingDataset> encode_rows(RankingRows rows, const DssmSetup& setup);

}  // namespace semblance
