#include "training/run_training.h"

#include <ranges>

#include "data/error.h"
#include "data/io/atomic_file.h"
#include "data/tensors.h"
#include "models/parallel.h"
#include "training/callbacks/checkpoints.h"
#include "training/callbacks/early_stopping.h"
#include "training/callbacks/metrics_files.h"
#include "training/callbacks/tensorboard.h"
#include "training/device.h"
#include "training/threads.h"

namespace semblance {

c10::Device begin_training(const TrainerOptions& options, const RunRequest& request) {
  parse_interval(options.checkpoint_every, "checkpoint-every");
  const auto device = resolve_device(options.device);
  if (request.mode != RunMode::Resume) request.run.check_free(request.mode == RunMode::Overwrite);
  set_threads(options.threads);
  const int threads = compute_threads();
  request.notice(fmt::format("{}, {} thread{}", describe_device(device), threads, threads > 1 ? "s" : ""));
  seed_generators(static_cast<uint64_t>(options.seed));
  return device;
}

std::optional<ResumePoint> find_resume_point(const RunFolder& run, const Notice& notice) {
  const auto names = run.checkpoints();
  std::string failure;
  for (const auto& name : names | std::views::reverse) {
    try {
      return ResumePoint{name, read_checkpoint(run.checkpoint_path(name), CheckpointPart::TrainingState)};
    } catch (const Error& error) {
      if (failure.empty()) failure = error.what();
      notice(fmt::format("{}; trying the one before", error.what()));
    }
  }
  if (!failure.empty())
    throw Error(ErrorKind::Model, "{}: expected a checkpoint to resume, found none that is whole: {}",
                run.path().string(), failure);
  return std::nullopt;
}

namespace run_training_detail {

void check(const torch::nn::Module& module, const TrainerOptions& options, bool has_validation,
           const Notice& notice) {
  if (options.patience > 0 && !has_validation)
    throw Error(ErrorKind::Usage,
                "--patience: expected validation data, found none; give --valid or a --split "
                "with a validation share");
  constexpr int64_t kLarge = int64_t{1} << 24;
  if (wants_sparse_gradients(options.optimizer)) return;
  for (const auto& [name, tensor] : trained_parameters(module))
    if (tensor.dim() == 2 && tensor.numel() >= kLarge)
      notice(fmt::format(
          "warning: --optimizer {} passes over all {} x {} numbers of {} in every step; lazy-adam and "
          "rowwise-adagrad touch the batch's rows alone",
          enum_name(options.optimizer), tensor.size(0), tensor.size(1), name));
}

Checkpoint checkpoint_base(const Job& job, Json model_info, std::map<std::string, std::string> files) {
  Checkpoint base;
  base.task = job.task();
  base.config = job_to_json(job);
  base.model_info = std::move(model_info);
  base.files = std::move(files);
  return base;
}

void open_run(const RunRequest& request, const Checkpoint& base) {
  RunFolder run = request.run;
  const auto job = write_toml(base.config);
  if (request.mode != RunMode::Resume) return run.create(job, request.mode == RunMode::Overwrite);
  run.remove_leftovers();
  write_file_atomically(run.job_file(), job);
}

void add_callbacks(TrainerCore& trainer, RunRequest& request, const Checkpoint& base, bool has_validation) {
  const auto& options = trainer.options();
  for (auto& callback : request.callbacks) trainer.add(std::move(callback));
  request.callbacks.clear();
  // Early stopping before checkpoints: the last one says why it is the last.
  if (options.patience > 0 && has_validation) trainer.add(std::make_unique<EarlyStopping>(options.patience));
  trainer.add(std::make_unique<MetricsFiles>(request.run.path()));
  if (options.tensorboard) trainer.add(std::make_unique<TensorBoard>(request.run.path()));
  trainer.add(std::make_unique<Checkpoints>(request.run, base, options));
}

void resume(TrainerCore& trainer, const RunRequest& request, const Checkpoint& base) {
  const auto& point = *request.resume_point;
  const auto source = request.run.checkpoint_path(point.name).string();
  // Checkpoints of before do not tell how the files were laid out.
  auto expected = base.model_info;
  if (!point.checkpoint.model_info.contains("input")) expected.erase("input");
  if (point.checkpoint.model_info != expected || point.checkpoint.files != base.files)
    throw Error(ErrorKind::Data,
                "{}: expected the training data of this checkpoint, found other data; restore the files, or "
                "train a new run",
                source);
  trainer.restore(point.checkpoint, source);
}

Json final_report(const TrainerCore& trainer, const RunFolder& run, const std::string& task) {
  const auto& state = trainer.state();
  Json report = {{"task", task},
                 {"run", run.path().string()},
                 {"stopped", trainer.outcome()},
                 {"checkpoint", run.resolve("best")},
                 {"epoch", state.epoch},
                 {"step", state.step},
                 {"examples_per_second", trainer.examples_per_second()}};
  const auto kept = report["checkpoint"].get<std::string>();
  const Json* best = nullptr;
  for (const auto& record : state.history)
    if (record.contains("valid") &&
        (RunFolder::checkpoint_name(record["step"].get<int64_t>()) == kept || !best))
      best = &record;
  if (best) {
    report["valid"] = (*best)["valid"];
    report["best_epoch"] = (*best)["epoch"];
  }
  report["history"] = state.history;
  return report;
}

void load_best(torch::nn::Module& module, const RunFolder& run) {
  const auto best = read_checkpoint(run.checkpoint_path(run.resolve("best")), CheckpointPart::ModelOnly);
  load_weights(module, best, run.path().string());
}

}  // namespace run_training_detail
}  // namespace semblance
