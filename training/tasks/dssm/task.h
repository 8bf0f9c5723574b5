// The DSSM question encoder as the trainer sees it.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "data/ranking_rows.h"
#include "data/text_pairs.h"
#include "models/losses.h"
#include "models/networks.h"
#include "training/callback.h"
#include "training/measures/ranking.h"
#include "training/tasks/dssm/data.h"

namespace semblance {

class DssmTask {
 public:
  using Batch = PairBatch;
  using Measure = RankingMeasure;

  /// With fresh weights, drawn from LibTorch's generator, on `device`.
  DssmTask(const DssmJob& job, DssmSetup setup, c10::Device device);

  torch::nn::Module& module() { return encoder_->module(); }
  DssmNetwork& encoder() { return *encoder_; }
  const DssmSetup& setup() const { return setup_; }
  /// What StartVectors::fill told.
  void set_vectors(Json told) { setup_.vectors = std::move(told); }
  LossSum loss(const PairBatch& batch);
  RankingMeasure measure(const RankingDataset& data) const { return {data, ranking_}; }
  void observe(const TextBatch& batch, RankingMeasure& measure);
  std::span<const MetricInfo> metrics() const { return metrics_; }
  /// The temperature (alpha), if it is learnt.
  Json learnt() const;
  Json model_info() const;
  std::map<std::string, std::string> files() const;

 private:
  DssmSetup setup_;
  RankingOptions ranking_;
  bool learns_alpha_;
  std::vector<std::string> metric_names_;
  std::vector<MetricInfo> metrics_;
  std::shared_ptr<DssmNetwork> encoder_;
};

/// Notes in each epoch's record what is learnt beside the vectors.
class LearntNumbers : public Callback {
 public:
  /// `task` is to outlive it.
  explicit LearntNumbers(const DssmTask& task) : task_(task) {}
  void on_epoch(TrainerCore& trainer) override;

 private:
  const DssmTask& task_;
};

}  // namespace semblance
