// The one training loop. It knows nothing of what it trains: a Task gives module, loss and measures. A
// trainer, its task and its callbacks belong to one thread; batches are made ahead on another.
#pragma once

#include <c10/core/GradMode.h>

#include <chrono>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/batch_loader.h"
#include "data/batch_source.h"
#include "models/module_access.h"
#include "training/callback.h"
#include "training/checkpoint.h"
#include "training/optimizer.h"
#include "training/task.h"
#include "training/trainer_options.h"
#include "training/training_state.h"

namespace semblance {

/// Why a training ended by itself.
inline constexpr const char *kCompleted = "completed", *kStoppedEarly = "early-stopping";

/// The learning rates of a training with so many batches an epoch.
Schedule schedule_of(const TrainerOptions& options, int64_t batches);

/// Everything about training that does not depend on the task's types.
class TrainerCore {
 public:
  /// `module` must be on `device` already.
  TrainerCore(torch::nn::Module& module, const TrainerOptions& options, c10::Device device,
              MetricInfo metric);
  virtual ~TrainerCore() = default;
  TrainerCore(const TrainerCore&) = delete;
  TrainerCore& operator=(const TrainerCore&) = delete;

  void add(std::unique_ptr<Callback> callback) { callbacks_.push_back(std::move(callback)); }

  const TrainerOptions& options() const { return options_; }
  const TrainingState& state() const { return state_; }
  /// What the best epoch is chosen by.
  const MetricInfo& metric() const { return metric_; }
  int64_t batches_per_epoch() const { return epoch_size_.batches; }
  int64_t examples_per_epoch() const { return epoch_size_.examples; }
  /// What an example is, for people.
  std::string_view unit() const { return epoch_size_.unit; }
  /// Lets `fit` end, to be resumed, where so many epochs are done: the learning rates stay those of all.
  void stop_after(int64_t epochs) { stop_after_ = epochs; }
  /// Of this process, validation and checkpoints not counted.
  double examples_per_second() const {
    return seconds_ > 0 ? static_cast<double>(examples_here_) / seconds_ : 0;
  }
  /// Why `fit` ended: state().stopped, "interrupted" or "paused", after which it may be resumed.
  std::string outcome() const {
    return interrupted_ ? "interrupted" : state_.stopped.empty() ? "paused" : state_.stopped;
  }
  /// Whether there is nothing left to do.
  bool ended() const { return !state_.stopped.empty(); }
  /// Whether a training that ended has nothing left to do: its epochs are done, or a callback has enough.
  bool stays_ended() const;

  /// Ends the training after the epoch that was just done; the first reason counts.
  void stop(const std::string& reason) {
    if (state_.stopped.empty()) state_.stopped = reason;
  }
  /// Adds something to the last epoch's record.
  void annotate_epoch(const std::string& key, Json value) { state_.history.back()[key] = std::move(value); }

  /// Model, optimizer and training state as they are now (live tensors). Throws Error(Diverged) instead of
  /// handing out a state whose loss or weights are not finite.
  void fill(Checkpoint& checkpoint);
  /// Goes on from there. Throws Error(Model) if it is another model's.
  void restore(const Checkpoint& checkpoint, const std::string& source);

 protected:
  /// What an epoch is made of: its batches, its examples, and the examples of its batch i.
  struct EpochSize {
    int64_t batches = 0, examples = 0;
    std::function<int64_t(int64_t i)> examples_of;
    std::string_view unit;
  };
  void begin(EpochSize size);
  bool goes_on();
  /// Of the step under way.
  double learning_rate() const { return schedule_.rate(state_.step); }
  void begin_epoch();
  /// Clears gradients where a step begins and seeds the batch's random numbers; returns the batch's share in
  /// its step.
  double begin_batch();
  /// Adds the loss to the epoch's, steps where a step ends, and reports. False if the training was
  /// interrupted.
  bool end_batch(const LossSum& loss);
  void end_epoch(const std::optional<Metrics>& validation);
  void end();

  torch::nn::Module& module_;
  TrainerOptions options_;
  c10::Device device_;

 private:
  struct LossReading {
    double total, weight;
  };
  LossReading read_loss();
  [[noreturn]] void diverged(const std::string& what) const;
  void pause_clock();

  MetricInfo metric_;
  Schedule schedule_;
  std::unique_ptr<Optimizer> optimizer_;
  std::vector<std::unique_ptr<Callback>> callbacks_;
  TrainingState state_;
  at::Tensor loss_total_, loss_weight_;  // float64 [] on the device, of the epoch under way
  LossReading reported_{};               // as of the last report
  int64_t reported_examples_ = 0;
  double reported_seconds_ = 0;
  EpochSize epoch_size_;
  int64_t examples_here_ = 0;
  bool interrupted_ = false;
  int64_t stop_after_ = std::numeric_limits<int64_t>::max();
  double seconds_ = 0;
  std::chrono::steady_clock::time_point clock_;
};

/// The one evaluation loop: calls visit(batch) for all of `data` in order, with `module` in evaluation mode.
template <Dataset Data, class Visit>
void for_each_batch(torch::nn::Module& module, const Data& data, int64_t batch_size, c10::Device device,
                    Visit&& visit) {
  const EvaluationMode mode(module);
  const c10::NoGradGuard no_gradient;
  const SequentialSampler in_order(data.size());
  const SampledBatches batches(data, in_order, batch_size, /*seed=*/0);
  BatchLoader loader(batches.epoch(0), batches.batches());
  while (auto batch = loader.next()) visit(batch->to(device));
}

/// What an empty `measure` of `task` makes of `data`.
template <Task T, class Data>
  requires Evaluates<T, Data>
Metrics evaluate(T& task, const Data& data, int64_t batch_size, c10::Device device,
                 typename T::Measure measure) {
  for_each_batch(task.module(), data, batch_size, device,
                 [&](const auto& batch) { task.observe(batch, measure); });
  return measure.result();
}

template <Task T>
class Trainer : public TrainerCore {
 public:
  Trainer(T& task, const TrainerOptions& options, c10::Device device)
      : TrainerCore(
            task.module(), options, device,
            options.metric.empty() ? task.metrics().front() : find_metric(task.metrics(), options.metric)),
        task_(task) {}

  /// Trains from where the state stands to the end. `validation` may be null.
  template <BatchSource Source, class Validation>
    requires std::same_as<typename Source::Batch, typename T::Batch> &&
             (Evaluates<T, Validation> || std::same_as<Validation, NoData>)
  void fit(const Source& source, [[maybe_unused]] const Validation* validation) {
    begin({.batches = source.batches(),
           .examples = source.examples(),
           .examples_of = [&](int64_t i) { return source.examples(i); },
           .unit = unit_of<Source>()});
    while (goes_on()) {
      begin_epoch();
      BatchLoader loader(source.epoch(state().epoch), source.batches(), state().batch);
      while (auto batch = loader.next()) {
        const double share = begin_batch();
        if (!end_batch(train_on(batch->to(device_), share))) return end();
      }
      std::optional<Metrics> metrics;
      if constexpr (Evaluates<T, Validation>)
        if (validation)
          metrics = evaluate(task_, *validation, options_.batch_size, device_, task_.measure(*validation));
      end_epoch(metrics);
    }
    end();
  }

 private:
  LossSum train_on(const typename T::Batch& batch, double share) {
    if constexpr (UpdatesItself<T>) {
      return task_.update(batch, learning_rate());
    } else {
      const LossSum loss = task_.loss(batch);
      backward(loss, share);
      return loss;
    }
  }

  T& task_;
};

}  // namespace semblance
