// The trigram model from a file of word vectors to a trained run, and serving from a checkpoint.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "training/run_training.h"
#include "training/tasks/trigram_job.h"
#include "training/word_encoder.h"

namespace semblance {

class TrigramTask;

/// Trains (or resumes, as `request` says) and returns the final report. Throws Error for every wrong input
/// before the run folder is touched.
Json train_model(const TrigramJob& job, RunRequest& request);

/// A trained trigram model as it stands in a checkpoint.
class TrigramModel : public WordEncoder {
 public:
  /// Throws Error(Model) if the checkpoint is of another task or does not fit together.
  TrigramModel(const Checkpoint& checkpoint, const std::string& source);
  ~TrigramModel() override;

  const TrigramJob& job() const { return job_; }
  int64_t dim() const override;
  bool encode(std::string_view word, std::span<float> out) const override;

  /// Measures the model on the words that its training held out, read from the file it was trained on; null
  /// where it held none out. Throws Error(Data) if the file is gone or is another.
  Json evaluate_held_out(c10::Device device, const std::function<void(const std::string&)>& notice) const;

 private:
  TrigramJob job_;
  std::unique_ptr<TrigramTask> task_;
  NamedTensors weights_;  // [runs, dim]; words are looked up on the CPU
};

}  // namespace semblance
