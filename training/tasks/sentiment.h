// The text classifier from raw files to a trained run, and serving from a checkpoint.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "data/readers/labelled_texts.h"
#include "data/text/text_pipeline.h"
#include "training/run_training.h"
#include "training/tasks/sentiment_job.h"

namespace semblance {

class SentimentTask;

/// Trains (or resumes, as `request` says) and returns the final report. Throws Error for every wrong input
/// before the run folder is touched.
Json train_model(const SentimentJob& job, RunRequest& request);

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
  ~SentimentModel();

  const SentimentJob& job() const { return job_; }
  /// Whether a text has a set of labels.
  bool predicts_sets() const;
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
void report_reading(const ReadReport& report, const std::string& what,
                    const std::function<void(const std::string&)>& notice);

}  // namespace semblance
