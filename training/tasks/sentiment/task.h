// The text classifier as the trainer sees it.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "data/labelled_dataset.h"
#include "data/sampler.h"
#include "models/networks.h"
#include "training/callback.h"
#include "training/measures/classification.h"
#include "training/measures/temperature.h"
#include "training/tasks/sentiment/class_sampler.h"
#include "training/tasks/sentiment/data.h"

namespace semblance {

class SentimentTask {
 public:
  using Batch = TextBatch;
  using Measure = ClassificationMetrics;

  /// With fresh weights, drawn from LibTorch's generator, on `device`.
  SentimentTask(const SentimentJob& job, ClassifierSetup setup, c10::Device device);

  torch::nn::Module& module() { return network_->module(); }
  ClassifierNetwork& network() { return *network_; }
  const ClassifierSetup& setup() const { return setup_; }
  /// What StartVectors::fill told.
  void set_vectors(Json told) { setup_.vectors = std::move(told); }
  LossSum loss(const TextBatch& batch);
  ClassificationMetrics measure(const LabelledDataset&) const {
    return {setup_.labels.classes, setup_.labels.multi_label};
  }
  /// One that measures scores too.
  ClassificationMetrics full_measure(const LabelledDataset&, const ScoreOptions& options = {}) const {
    return {setup_.labels.classes, setup_.labels.multi_label, options};
  }
  void observe(const TextBatch& batch, ClassificationMetrics& measure);
  /// Logits [batch, outputs], divided by the temperature.
  at::Tensor logits(const TextBatch& batch);
  /// What they say of each class: [batch, classes].
  at::Tensor probabilities(const at::Tensor& logits) const;
  LossSum loss_of(const at::Tensor& logits, const at::Tensor& targets) const;
  /// Of all logits but those of `loss`; 1 at first.
  void set_temperature(double temperature) { temperature_ = temperature; }
  /// How the loss of a batch changes with the inverse of the temperature; see fit_temperature.
  LossSlope slope(const TextBatch& batch, double inverse);
  std::span<const MetricInfo> metrics() const;
  Json model_info() const;
  std::map<std::string, std::string> files() const;

 private:
  ClassifierSetup setup_;
  bool dim_follows_;  // from the vectors, or by default: the job does not say it
  std::shared_ptr<ClassifierNetwork> network_;
  at::Tensor class_weights_;
  double temperature_ = 1;
  std::optional<ClassSampler> sampler_;  // of --loss sampled, in training
};

/// Row 2.6: adds the class mix that an epoch's batches really had to its record.
class ClassMix : public Callback {
 public:
  /// All are to outlive it.
  ClassMix(const LabelledDataset& data, const Sampler& sampler, const std::vector<std::string>& classes)
      : data_(data), sampler_(sampler), classes_(classes) {}
  void on_epoch(TrainerCore& trainer) override;

 private:
  const LabelledDataset& data_;
  const Sampler& sampler_;
  const std::vector<std::string>& classes_;
};

}  // namespace semblance
