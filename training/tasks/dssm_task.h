// The DSSM question encoder as the trainer sees it.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "data/ranking_rows.h"
#include "data/text/vocabulary.h"
#include "data/text_pairs.h"
#include "models/dssm_encoder.h"
#include "training/ranking.h"
#include "training/tasks/dssm_job.h"

namespace semblance {

/// What an encoder is, apart from its weights.
struct DssmSetup {
  Vocabulary vocabulary;
  int64_t dim = 0;
  std::vector<std::string> stop_words;
  std::string data_fingerprint;  ///< of the training data as encoded
};

class DssmTask {
 public:
  using Batch = PairBatch;
  using Measure = RankingMeasure;

  /// With fresh weights, drawn from LibTorch's generator, on `device`.
  DssmTask(const DssmJob& job, DssmSetup setup, c10::Device device);

  torch::nn::Module& module() { return *encoder_; }
  DssmEncoder& encoder() { return encoder_; }
  const DssmSetup& setup() const { return setup_; }
  LossSum loss(const PairBatch& batch);
  RankingMeasure measure(const RankingDataset& data) const { return {data, ranking_}; }
  void observe(const TextBatch& batch, RankingMeasure& measure);
  std::span<const MetricInfo> metrics() const { return metrics_; }
  Json model_info() const;
  std::map<std::string, std::string> files() const;

 private:
  DssmSetup setup_;
  RankingOptions ranking_;
  std::vector<std::string> metric_names_;
  std::vector<MetricInfo> metrics_;
  DssmEncoder encoder_{nullptr};
};

}  // namespace semblance
