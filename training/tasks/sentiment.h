// The text classifier as a task: training from raw files, and serving from a checkpoint.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/labelled_dataset.h"
#include "data/readers/labelled_texts.h"
#include "models/text_classifier.h"
#include "training/classification_metrics.h"
#include "training/run_training.h"
#include "training/task.h"
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
  std::string data_fingerprint;      ///< of the training data as encoded
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
  ClassificationMetrics measure() const { return {setup_.classes, setup_.sets}; }
  void observe(const TextBatch& batch, ClassificationMetrics& measure);
  /// Probabilities [batch, classes] of unlabelled texts.
  torch::Tensor probabilities(const TextBatch& batch);
  std::span<const MetricInfo> metrics() const;
  Json model_info() const;
  std::map<std::string, std::string> files() const;

 private:
  ClassifierSetup setup_;
  TextClassifier model_{nullptr};
  torch::Tensor class_weights_;
};

/// Trains (or resumes, as `request` says) and returns the final report. Throws Error for every wrong input before the
/// run folder is touched.
Json train_sentiment(const SentimentJob& job, RunRequest& request);

struct Prediction {
  std::vector<std::string> labels;    ///< one, or a set of any size
  std::vector<double> probabilities;  ///< of these labels
  bool known = true;                  ///< false if the model knows no word of the text
};

/// A trained classifier as it stands in a checkpoint.
class SentimentModel {
 public:
  /// Throws Error(Model) if the checkpoint is of another task or does not fit together.
  SentimentModel(const Checkpoint& checkpoint, const std::string& source, c10::Device device);

  const SentimentJob& job() const { return job_; }
  SentimentTask& task() { return *task_; }
  std::vector<Prediction> predict(const std::vector<std::string>& texts);
  /// Evaluates on labelled texts; `layout` describes the files. Adds skipped rows to the report.
  Json evaluate_files(std::span<const std::string> paths, const InputOptions& layout,
                      const std::function<void(const std::string&)>& notice);

 private:
  SentimentJob job_;
  c10::Device device_;
  std::unique_ptr<SentimentTask> task_;
  std::unique_ptr<TextPipeline> pipeline_;
};

/// One line for each thing that reading met: bad rows, ill-formed UTF-8.
void report_reading(const ReadReport& report, const std::string& what, const std::function<void(const std::string&)>& notice);

}  // namespace semblance
