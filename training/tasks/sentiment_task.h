// The text classifier as the trainer sees it.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "data/labelled_dataset.h"
#include "models/text_classifier.h"
#include "training/classification_metrics.h"
#include "training/tasks/sentiment_job.h"

namespace semblance {

/// What a classifier is, apart from its weights.
struct ClassifierSetup {
  std::vector<std::string> classes;  ///< in the order of the logits
  bool sets = false;                 ///< whether a text has a set of labels
  ClassificationLoss loss = ClassificationLoss::BceLogits;
  std::vector<double> class_weights;
  Vocabulary vocabulary;
  std::vector<std::string> stop_words;
  std::string data_fingerprint;  ///< of the training data as encoded
};

class SentimentTask {
 public:
  using Batch = TextBatch;
  using Measure = ClassificationMetrics;

  /// With fresh weights, drawn from LibTorch's generator, on `device`.
  SentimentTask(const SentimentJob& job, ClassifierSetup setup, c10::Device device);

  torch::nn::Module& module() { return *model_; }
  TextClassifier& model() { return model_; }
  const ClassifierSetup& setup() const { return setup_; }
  LossSum loss(const TextBatch& batch);
  ClassificationMetrics measure(const LabelledDataset&) const { return {setup_.classes, setup_.sets}; }
  void observe(const TextBatch& batch, ClassificationMetrics& measure);
  /// Probabilities [batch, classes] of unlabelled texts.
  at::Tensor probabilities(const TextBatch& batch);
  std::span<const MetricInfo> metrics() const;
  Json model_info() const;
  std::map<std::string, std::string> files() const;

 private:
  ClassifierSetup setup_;
  TextClassifier model_{nullptr};
  at::Tensor class_weights_;
};

}  // namespace semblance
