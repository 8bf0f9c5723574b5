// A training from its inputs to its final report, the same for every task: run folder, callbacks, resuming,
// the best checkpoint's evaluation.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "data/notice.h"
#include "training/interrupt.h"
#include "training/job.h"
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
std::optional<ResumePoint> find_resume_point(const RunFolder& run, const Notice& notice);

enum class RunMode { Fresh, Overwrite, Resume };

/// What the caller decides about a run, apart from the job itself.
struct RunRequest {
  RunFolder run;
  RunMode mode = RunMode::Fresh;
  std::optional<ResumePoint> resume_point;  ///< for Resume; without one the run starts from the beginning
  Notice notice;                            ///< takes one line for people
  std::vector<std::unique_ptr<Callback>> callbacks;  ///< progress and the like
  std::optional<double> weight_decay = {};           ///< instead of the job's, where it follows from the data
};

namespace run_training_detail {

/// Throws Error(Usage) for options that lack what they need, and tells of an optimizer that passes over a
/// large table in every step, where one for its touched rows is at hand.
void check(const torch::nn::Module& module, const TrainerOptions& options, bool has_validation,
           const Notice& notice);
/// What every checkpoint of a job holds besides tensors.
Checkpoint checkpoint_base(const Job& job, Json model_info, std::map<std::string, std::string> files);
void open_run(const RunRequest& request, const Checkpoint& base);
void add_callbacks(TrainerCore& trainer, RunRequest& request, const Checkpoint& base, bool has_validation);
void resume(TrainerCore& trainer, const RunRequest& request, const Checkpoint& base);
/// Tells where several epochs are the best by the trainer's metric, of which the latest was taken.
void tell_of_equal_epochs(const TrainerCore& trainer, const Notice& notice);
/// The final object of `train --json`; its `valid` is the best epoch's.
Json final_report(const TrainerCore& trainer, const RunFolder& run, const std::string& task);
void load_best(torch::nn::Module& module, const RunFolder& run);

}  // namespace run_training_detail

/// What a training begins with, before it reads its data: checks what can be checked without, sets the
/// threads and the seed of LibTorch's generator, tells of device and threads. Returns the device. Throws
/// Error, the run folder untouched.
c10::Device begin_training(const TrainerOptions& options, const RunRequest& request);

/// The batches of a dataset in memory; `data` and `sampler` are to outlive them.
template <Dataset Data>
SampledBatches<Data> batches_of(const Job& job, const Data& data, const Sampler& sampler) {
  return {data, sampler, job.training.batch_size, static_cast<uint64_t>(job.training.seed)};
}

/// `validation` and `test` may be null. Returns the final report; its "stopped" tells how training ended.
template <Task T, BatchSource Source, class Validation>
  requires(Evaluates<T, Validation> || std::same_as<Validation, NoData>)
Json run_training(T& task, const Job& job, c10::Device device, RunRequest& request, const Source& source,
                  const Validation* validation, [[maybe_unused]] const Validation* test) {
  namespace detail = run_training_detail;
  TrainerOptions options = job.training;
  if (request.weight_decay) options.weight_decay = *request.weight_decay;
  detail::check(task.module(), options, validation != nullptr, request.notice);
  const auto base = detail::checkpoint_base(job, task.model_info(), task.files());
  Trainer<T> trainer(task, options, device);
  detail::open_run(request, base);
  detail::add_callbacks(trainer, request, base, validation != nullptr);
  if (request.resume_point) detail::resume(trainer, request, base);
  {
    const InterruptGuard guard;
    trainer.fit(source, validation);
  }
  detail::tell_of_equal_epochs(trainer, request.notice);
  Json report = detail::final_report(trainer, request.run, base.task);
  if constexpr (Evaluates<T, Validation>)
    if (test && !trainer.interrupted()) {
      // The test split is looked at once, with the weights that the validation chose.
      detail::load_best(task.module(), request.run);
      report["test"] = evaluate(task, *test, options.batch_size, device).report();
    }
  return report;
}

}  // namespace semblance
