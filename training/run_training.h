// A training from its inputs to its final report, the same for every task: run folder, callbacks, resuming,
// the best checkpoint's evaluation.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/notice.h"
#include "training/interrupt.h"
#include "training/job.h"
#include "training/run_folder.h"
#include "training/run_lock.h"
#include "training/trainer.h"

namespace semblance {

/// A checkpoint that a training goes on from.
struct ResumePoint {
  std::string name;
  Checkpoint checkpoint;
};

enum class RunMode { Fresh, Overwrite, Resume };

/// What the caller decides about a run, apart from the job itself.
struct RunRequest {
  RunFolder run;
  RunMode mode = RunMode::Fresh;
  std::optional<ResumePoint> resume_point =
      {};                              ///< for Resume; without one the run starts from the beginning
  std::unique_ptr<RunLock> lock = {};  ///< what keeps other processes out, once it is taken
  Notice notice = {};                  ///< takes one line for people
  std::vector<std::unique_ptr<Callback>> callbacks = {};  ///< progress and the like
  /// Sets again what was given, over defaults that follow from the data; none where the job is whole.
  std::function<void(Job&)> given = {};
  std::optional<int64_t> stop_after = {};   ///< end, to be resumed, after so many of the job's epochs
  std::optional<int64_t> threads = {};      ///< instead of the job's, where others compute beside it
  std::optional<double> weight_decay = {};  ///< instead of the job's, where it follows from the data
};

/// Locks the run of a request to resume, and finds its newest checkpoint that can be resumed: older ones
/// stand in for damaged ones, of which is told. None if the run has none yet. Throws Error(Model) if it has,
/// but none that can be used, and where another process is at it.
void find_resume_point(RunRequest& request);

/// The options, by section and name, that may be others when a training is resumed.
inline constexpr std::string_view kResumable[] = {"training.epochs", "training.patience", "training.threads",
                                                  "training.device", "data.cache"};

/// The configuration that a run goes on with: its checkpoint's, with what job.toml has changed since of
/// kResumable. Those changes are told, and all others, which are left aside.
Json resumed_config(const RunRequest& request);

namespace run_training_detail {

/// Throws Error(Usage) for options that lack what they need, and tells of an optimizer that passes over a
/// large table in every step, where one for its touched rows is at hand.
void check(const torch::nn::Module& module, const TrainerOptions& options, bool has_validation,
           const Notice& notice);
/// What every checkpoint of a job holds besides tensors.
Checkpoint checkpoint_base(const Job& job, Json model_info, std::map<std::string, std::string> files);
/// Tells of inputs that cannot be read a second time, and of a schedule that does not fit the training.
void check_run(const Job& job, const TrainerOptions& options, int64_t batches, const RunRequest& request);
void open_run(RunRequest& request, const Checkpoint& base);
void add_callbacks(TrainerCore& trainer, RunRequest& request, const Checkpoint& base, bool has_validation);
/// Throws Error(Usage) for fewer epochs than are done; tells of what changes with their number.
void resume(TrainerCore& trainer, const RunRequest& request, const Checkpoint& base, int64_t batches);
/// Tells where several epochs are the best by the trainer's metric, of which the latest was taken.
void tell_of_equal_epochs(const TrainerCore& trainer, const Notice& notice);
/// The final object of `train --json`; its `valid` is the best epoch's.
Json final_report(const TrainerCore& trainer, const RunRequest& request, const std::string& task);
/// Of a task that has one, a measure of more than is worth its time in every epoch.
template <class T, class Data>
typename T::Measure final_measure(T& task, const Data& data) {
  if constexpr (requires { task.full_measure(data); })
    return task.full_measure(data);
  else
    return task.measure(data);
}
void load_best(torch::nn::Module& module, const RunRequest& request);
/// What happens within `train`, a failure for want of memory as an Error that names the options it hangs on.
void within_memory(const TrainerOptions& options, const std::function<void()>& train);

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
  detail::check_run(job, options, source.batches(), request);
  const auto base = detail::checkpoint_base(job, task.model_info(), task.files());
  Trainer<T> trainer(task, options, device);
  detail::add_callbacks(trainer, request, base, validation != nullptr);
  if (request.resume_point) detail::resume(trainer, request, base, source.batches());
  detail::open_run(request, base);
  if (request.stop_after) trainer.stop_after(*request.stop_after);
  {
    const InterruptGuard guard;
    detail::within_memory(options, [&] { trainer.fit(source, validation); });
  }
  detail::tell_of_equal_epochs(trainer, request.notice);
  Json report = detail::final_report(trainer, request, base.task);
  if constexpr (Evaluates<T, Validation>)
    if (test && trainer.ended()) {
      // The test split is looked at once, with the weights that the validation chose.
      detail::load_best(task.module(), request);
      report["test"] =
          evaluate(task, *test, options.batch_size, device, detail::final_measure(task, *test)).report();
    }
  return report;
}

}  // namespace semblance
