// The trigram model as the trainer sees it: f(word) is the sum of its runs' vectors (row 5.2).
#pragma once

#include <map>
#include <span>
#include <string>

#include "data/text/ngram_index.h"
#include "data/vector_dataset.h"
#include "models/embedding_bag.h"
#include "training/tasks/trigram_job.h"
#include "training/vector_metrics.h"

namespace semblance {

/// What a trigram model is, apart from its weights.
struct TrigramSetup {
  NgramIndex index;
  int64_t dim = 0;
  at::Tensor mean;               ///< float [dim]: of the training words' vectors
  std::string data_fingerprint;  ///< of the training data as encoded
};

class TrigramTask {
 public:
  using Batch = TextBatch;
  using Measure = VectorMetrics;

  /// With fresh weights, drawn from LibTorch's generator, on `device`.
  TrigramTask(const TrigramJob& job, TrigramSetup setup, c10::Device device);

  torch::nn::Module& module() { return *bag_; }
  const TrigramSetup& setup() const { return setup_; }
  LossSum loss(const TextBatch& batch);
  VectorMetrics measure(const VectorDataset&) const {
    return VectorMetrics(setup_.mean.to(bag_->weight.device()));
  }
  void observe(const TextBatch& batch, VectorMetrics& measure);
  std::span<const MetricInfo> metrics() const;
  Json model_info() const;
  std::map<std::string, std::string> files() const;

 private:
  TrigramSetup setup_;
  EmbeddingBag bag_{nullptr};
};

}  // namespace semblance
