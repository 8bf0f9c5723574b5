// The DSSM question encoder from rows of duplicates to a trained run, and serving from a checkpoint.
#pragma once

#include <memory>
#include <string>

#include "training/run_training.h"
#include "training/tasks/dssm_job.h"
#include "training/text_encoder.h"

namespace semblance {

class DssmTask;

/// Trains (or resumes, as `request` says) and returns the final report. Throws Error for every wrong input
/// before the run folder is touched.
Json train_model(const DssmJob& job, RunRequest& request);

/// A trained encoder as it stands in a checkpoint.
class DssmModel : public TextEncoder {
 public:
  /// Throws Error(Model) if the checkpoint is of another task or does not fit together.
  DssmModel(const Checkpoint& checkpoint, const std::string& source, c10::Device device);
  ~DssmModel() override;

  const DssmJob& job() const { return job_; }
  int64_t dim() const override;
  /// A text's vector does not depend on its neighbours.
  EncodedTexts encode(const Texts& texts) override;

 private:
  DssmJob job_;
  c10::Device device_;
  std::unique_ptr<TextPipeline> pipeline_;
  std::unique_ptr<DssmTask> task_;
};

}  // namespace semblance
