// The trigram model as the trainer sees it: f(word) is the sum of its n-grams' vectors (row 5.2).
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>

#include "models/losses.h"
#include "models/networks.h"
#include "training/measures/vectors.h"
#include "training/tasks/trigram/data.h"

namespace semblance {

class TrigramTask {
 public:
  using Batch = TextBatch;
  using Measure = VectorMetrics;

  /// With fresh weights, drawn from LibTorch's generator, on `device`.
  TrigramTask(const TrigramJob& job, TrigramSetup setup, c10::Device device);

  torch::nn::Module& module() { return bag_->module(); }
  const Network& network() const { return *bag_; }
  /// The n-grams' vectors, float [n-grams, dim].
  const at::Tensor& table() { return bag_->table(); }
  const TrigramSetup& setup() const { return setup_; }
  LossSum loss(const TextBatch& batch);
  VectorMetrics measure(const VectorDataset&) const {
    return VectorMetrics(setup_.mean.to(bag_->table().device()));
  }
  void observe(const TextBatch& batch, VectorMetrics& measure);
  std::span<const MetricInfo> metrics() const;
  Json model_info() const;
  std::map<std::string, std::string> files() const;

 private:
  TrigramSetup setup_;
  std::shared_ptr<Network> bag_;
};

}  // namespace semblance
