// A training from its inputs to its final report, the same for every task: run folder, callbacks, resuming,
// the best checkpoint's evaluation.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "training/interrupt.h"
#include "training/module_tensors.h"
#include "training/run_folder.h"
#include "training/trainer.h"

namespace semblance {

/// A checkpoint that a training goes on from.
struct ResumePoint {
  std::string name;
  Checkpoint checkpoint;
};

/// The newest checkpoint of a run that can be resumed; older ones stand in for damaged ones, which `notice`
/// is told of. Nothing if the run has none yet. Throws Error(Model) if it has, but none that can be used.
std::optional<ResumePoint> find_resume_point(const RunFolder& run,
                                             const std::function<void(const std::string&)>& notice);

enum class RunMode { Fresh, Overwrite, Resume };

/// What the caller decides about a run, apart from the job itself.
struct RunRequest {
  RunFolder run;
  RunMode mode = RunMode::Fresh;
  std::optional<ResumePoint> resume_point;  ///< for Resume; without one the run starts from the beginning
  std::function<void(const std::string&)> notice;    ///< takes one line for people
  std::vector<std::unique_ptr<Callback>> callbacks;  ///< progress and the like
};

namespace run_training_detail {

/// Tells of an optimizer that passes over a large table in every step, where one for its touched rows is at
/// hand.
void notice_dense_steps(const torch::nn::Module& module, OptimizerKind optimizer,
                        const std::function<void(const std::string&)>& notice);
void open_run(const RunRequest& request, const Checkpoint& base);
void add_callbacks(TrainerCore& trainer, RunRequest& request, const Checkpoint& base, bool has_validation);
void resume(TrainerCore& trainer, const RunRequest& request, const Checkpoint& base);
/// The final object of `train --json`; its `valid` is the best epoch's.
Json final_report(const TrainerCore& trainer, const RunFolder& run, const std::string& task);

}  // namespace run_training_detail

/// What a training begins with, before it reads its data: checks what can be checked without, sets the
/// threads and the seed of LibTorch's generator, tells of device and threads. Returns the device. Throws
/// Error, the run folder untouched.
c10::Device begin_training(const TrainerOptions& options, const RunRequest& request);

/// What every checkpoint of a job holds besides what its task adds.
template <class Job>
Checkpoint checkpoint_base(const Job& job) {
  Checkpoint base;
  base.task = Job::kTask;
  base.config = job_to_json(job);
  return base;
}

/// `base`: what every checkpoint holds besides tensors. `validation` and `test` may be null. Returns the
/// final report; its "stopped" tells how training ended.
template <Task T, Dataset<typename T::Batch> Data, class Judged>
  requires Evaluates<T, Judged>
Json run_training(T& task, const TrainerOptions& options, c10::Device device, Checkpoint base,
                  RunRequest& request, const Data& training, const Sampler& sampler, const Judged* validation,
                  const Judged* test) {
  namespace detail = run_training_detail;
  if (options.patience > 0 && !validation)
    throw Error(ErrorKind::Usage,
                "--patience: expected validation data to judge by, found none; give --valid or a --split "
                "with a validation share");
  detail::notice_dense_steps(task.module(), options.optimizer, request.notice);
  base.model_info = task.model_info();
  base.files = task.files();
  Trainer<T> trainer(task, options, device);
  detail::open_run(request, base);
  detail::add_callbacks(trainer, request, base, validation != nullptr);
  if (request.resume_point) detail::resume(trainer, request, base);
  {
    const InterruptGuard guard;
    trainer.fit(training, sampler, validation);
  }

  Json report = detail::final_report(trainer, request.run, base.task);
  if (test && !trainer.interrupted()) {
    // The test split is looked at once, with the weights that the validation chose.
    const auto best =
        read_checkpoint(request.run.checkpoint_path(request.run.resolve("best")), CheckpointPart::ModelOnly);
    load_weights(task.module(), best, request.run.path().string());
    report["test"] = evaluate(task, *test, options.batch_size, device).report();
  }
  return report;
}

}  // namespace semblance
