#include "training/run_training.h"

#include <c10/util/Exception.h>

#include <algorithm>
#include <new>
#include <ranges>

#include "data/error.h"
#include "data/io/atomic_file.h"
#include "data/io/folders.h"
#include "data/tensors.h"
#include "models/parallel.h"
#include "training/callbacks/checkpoints.h"
#include "training/callbacks/early_stopping.h"
#include "training/callbacks/metrics_files.h"
#include "training/callbacks/tensorboard.h"
#include "training/device.h"
#include "training/join_ranks.h"
#include "training/threads.h"

namespace semblance {

c10::Device begin_training(const TrainerOptions& options, const RunRequest& request) {
  parse_interval(options.checkpoint_every, "checkpoint-every");
  const auto device = resolve_device(options.device);
  if (ranks() && !device.is_cpu())
    throw Error(ErrorKind::Device, "--device: expected cpu, on which {} processes train together, found {}",
                ranks()->size(), device.str());
  if (request.mode != RunMode::Resume && this_rank() == 0)
    request.run.check_free(request.mode == RunMode::Overwrite);
  set_threads(request.threads.value_or(options.threads));
  choose_kernels(options.kernels);
  const int threads = compute_threads();
  request.notice(fmt::format("{}, {} thread{}{}", describe_device(device), threads, threads > 1 ? "s" : "",
                             own_kernels() ? "" : ", LibTorch's operators"));
  seed_generators(static_cast<uint64_t>(options.seed));
  return device;
}

void find_resume_point(RunRequest& request) {
  const auto& run = request.run;
  const auto take = [&](const std::string& name) {
    request.resume_point = {name, read_checkpoint(run.checkpoint_path(name), CheckpointPart::TrainingState)};
  };
  if (this_rank() > 0) {
    if (const auto name = text_of_first(""); !name.empty()) take(name);
    return;
  }
  request.lock = std::make_unique<RunLock>(run.path());
  std::string failure;
  for (const auto& name : run.checkpoints() | std::views::reverse) {
    try {
      take(name);
      text_of_first(name);
      return;
    } catch (const DamagedCheckpoint& error) {
      if (failure.empty()) failure = error.what();
      request.notice(fmt::format("{}; trying the one before", error.what()));
    }
  }
  if (!failure.empty())
    throw Error(ErrorKind::Model, "{}: expected a checkpoint to resume, found none that is whole: {}",
                run.path().string(), failure);
  text_of_first("");
}

Json resumed_config(const RunRequest& request) {
  const auto file = request.run.job_file().string();
  if (!request.resume_point) return read_toml(file);
  Json config = request.resume_point->checkpoint.config, told;
  if (!is_file(file)) return config;
  try {
    told = read_toml(file);
  } catch (const Error& error) {
    request.notice(fmt::format("warning: {}; going on as the run began", error.what()));
    return config;
  }
  std::string taken, left;
  const auto note = [](std::string& list, const std::string& key, const Json& now, const Json& before) {
    list += fmt::format("{}{} = {} instead of {}", list.empty() ? "" : ", ", key, json_line(now),
                        json_line(before));
  };
  for (const auto& [section, values] : told.items()) {
    auto& own = config[section];
    if (!values.is_object() || !own.is_object()) {
      if (values != own) note(left, section, values, own);
      continue;
    }
    for (const auto& [key, value] : values.items()) {
      const Json before = own.contains(key) ? own[key] : Json();
      if (value == before) continue;
      const auto name = section + "." + key;
      const bool resumable = std::ranges::find(kResumable, name) != std::end(kResumable);
      note(resumable ? taken : left, name, value, before);
      if (resumable) own[key] = value;
    }
  }
  if (!taken.empty()) request.notice(fmt::format("{}: {}", file, taken));
  if (!left.empty())
    request.notice(fmt::format(
        "warning: {}: {}: left aside, a training goes on as it began; train a new run for that", file, left));
  return config;
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

void check_run(const Job& job, const TrainerOptions& options, int64_t batches, const RunRequest& request) {
  for (const auto& [option, path] : inputs_of(job))
    if (request.mode != RunMode::Resume && (path == "-" || kind_of(path) == PathKind::Other))
      request.notice(fmt::format("warning: --{} {}: a pipe is read once, so that this run cannot be resumed",
                                 option, path));
  if (const auto schedule = schedule_of(options, batches); schedule.warmup_steps > schedule.total_steps)
    request.notice(fmt::format(
        "warning: --warmup {}: longer than the training of {} steps, whose learning rate never reaches --lr",
        schedule.warmup_steps, schedule.total_steps));
  if (options.learning_rate == 0) request.notice("warning: --lr 0: nothing is learnt");
}

void open_run(RunRequest& request, const Checkpoint& base) {
  if (ranks()) {
    std::string all = json_line(base.config) + json_line(base.model_info);
    for (const auto& [name, content] : base.files) all += name + content;
    expect_same(all, "job and data");
    if (this_rank() > 0) return;
  }
  RunFolder& run = request.run;
  const auto job = write_toml(base.config);
  if (request.mode != RunMode::Resume) run.check_free(request.mode == RunMode::Overwrite);
  make_folder(run.path());
  if (!request.lock) request.lock = std::make_unique<RunLock>(run.path());
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
  if (this_rank() > 0) return;  // rank 0 writes for all
  trainer.add(std::make_unique<MetricsFiles>(request.run.path()));
  if (options.tensorboard) trainer.add(std::make_unique<TensorBoard>(request.run.path()));
  trainer.add(std::make_unique<Checkpoints>(request.run, base, options));
}

void resume(TrainerCore& trainer, const RunRequest& request, const Checkpoint& base, int64_t batches) {
  const auto& [name, checkpoint] = *request.resume_point;
  const auto source = request.run.checkpoint_path(name).string();
  // Checkpoints of before do not tell how the files were laid out.
  auto expected = base.model_info;
  if (!checkpoint.model_info.contains("input")) expected.erase("input");
  if (checkpoint.model_info != expected || checkpoint.files != base.files)
    throw Error(ErrorKind::Data,
                "{}: expected the training data of this checkpoint, found other data; restore the files, or "
                "train a new run",
                source);
  trainer.restore(checkpoint, source);

  const auto& state = trainer.state();
  const auto& options = trainer.options();
  if (const int64_t begun = state.epoch + (state.batch > 0); options.epochs < begun)
    throw Error(ErrorKind::Usage, "--epochs: expected at least {}, which the training has begun, found {}",
                begun, options.epochs);
  if (trainer.stays_ended())
    return request.notice(
        state.epoch < options.epochs
            ? fmt::format("nothing is left to do: early stopping has waited for its --patience of {}; "
                          "a larger one lets the training go on",
                          options.patience)
            : fmt::format("nothing is left to do: {} epochs are done; a larger --epochs lets the training "
                          "go on",
                          state.epoch));
  auto before = options;
  before.epochs = whole_number_in(object_in(checkpoint.config, "training"), "epochs", 1, INT64_MAX);
  if (before.epochs == options.epochs || state.step == 0) return;
  const auto old_rates = schedule_of(before, batches), rates = schedule_of(options, batches);
  if (old_rates.rate(state.step) != rates.rate(state.step))
    request.notice(fmt::format(
        "warning: --epochs {} instead of {} stretches the {} schedule: the learning rate was {:.3g} in the "
        "last step and is {:.3g} in the next",
        options.epochs, before.epochs, enum_name(options.schedule), old_rates.rate(state.step - 1),
        rates.rate(state.step)));
}

void tell_of_equal_epochs(const TrainerCore& trainer, const Notice& notice) {
  std::vector<double> values;
  for (const auto& record : trainer.state().history)
    if (const auto value = named_number(record.value("valid", Json::object()), trainer.metric().name);
        value.is_number())
      values.push_back(value.get<double>());
  if (values.empty()) return;
  const double best = trainer.metric().higher_is_better ? std::ranges::max(values) : std::ranges::min(values);
  if (const auto equal = std::ranges::count(values, best); equal > 1)
    notice(fmt::format("{} was {:.4f} in {} epochs, and never better; the latest of them is the best",
                       trainer.metric().name, best, equal));
}

Json final_report(const TrainerCore& trainer, const RunRequest& request, const std::string& task) {
  largest_of_all(0);  // until rank 0 has written what it writes
  const auto& run = request.run;
  const auto& state = trainer.state();
  Json report = {{"task", task},
                 {"run", run.path().string()},
                 {"stopped", trainer.outcome()},
                 {"checkpoint", run.resolve("best", request.notice)},
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
    report["metric"] = trainer.metric().name;
    report["higher_is_better"] = trainer.metric().higher_is_better;
  }
  report["history"] = state.history;
  return report;
}

void load_best(torch::nn::Module& module, const RunRequest& request) {
  const auto& run = request.run;
  const auto best =
      read_checkpoint(run.checkpoint_path(run.resolve("best", request.notice)), CheckpointPart::ModelOnly);
  load_weights(module, best, run.path().string());
}

void within_memory(const TrainerOptions& options, const std::function<void()>& train) {
  const auto refuse = [&] {
    throw Error(
        ErrorKind::Usage,
        "--batch-size: expected batches that fit into memory, found one of {} that does not; lower it, "
        "or the model's dimensions",
        options.batch_size);
  };
  try {
    train();
  } catch (const std::bad_alloc&) {
    refuse();
  } catch (const c10::Error& error) {  // of LibTorch's allocators, which have no type of their own
    if (std::string_view(error.what_without_backtrace()).find("allocat") == std::string_view::npos) throw;
    refuse();
  }
}

}  // namespace run_training_detail
}  // namespace semblance
