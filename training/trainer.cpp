#include "training/trainer.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "data/error.h"
#include "data/random.h"
#include "data/tensors.h"
#include "training/interrupt.h"
#include "training/join_ranks.h"
#include "training/tensor_file.h"

namespace semblance {
namespace {

OptimizerOptions optimizer_options(const TrainerOptions& options) {
  return {.kind = options.optimizer, .momentum = options.momentum, .weight_decay = options.weight_decay};
}

}  // namespace

Interval parse_interval(const std::string& text, const std::string& option) {
  int64_t count = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, status] = std::from_chars(text.data(), end, count);
  const std::string unit(stop, end);
  if (status == std::errc() && count > 0) {
    if (unit == "step" || unit == "steps") return {Interval::Unit::Steps, count};
    if (unit == "epoch" || unit == "epochs") return {Interval::Unit::Epochs, count};
    if (unit == "min" || unit == "minutes") return {Interval::Unit::Minutes, count};
  }
  throw Error(ErrorKind::Usage, "--{}: expected a count with a unit (500steps, 1epoch, 10min), found '{}'",
              option, text);
}

Schedule schedule_of(const TrainerOptions& options, int64_t batches) {
  const int64_t steps = (batches + options.accumulate - 1) / options.accumulate;
  return {.kind = options.schedule,
          .base = options.learning_rate,
          .warmup_steps = options.warmup,
          .total_steps = steps * options.epochs,
          .steps_per_epoch = steps,
          .decay_epochs = options.decay_epochs,
          .decay = options.decay};
}

TrainerCore::TrainerCore(torch::nn::Module& module, const TrainerOptions& options, c10::Device device,
                         MetricInfo metric)
    : module_(module),
      options_(options),
      device_(device),
      metric_(metric),
      optimizer_(make_optimizer(optimizer_options(options), trained_parameters(module))),
      loss_total_(zero_tensor({}, at::kDouble, device)),
      loss_weight_(zero_tensor({}, at::kDouble, device)) {}

void TrainerCore::pause_clock() {
  seconds_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - clock_).count();
}

void TrainerCore::begin(EpochSize size) {
  epoch_size_ = std::move(size);
  schedule_ = schedule_of(options_, epoch_size_.batches);
  if (state_.batch >= epoch_size_.batches && state_.batch > 0)
    throw Error(ErrorKind::Model, "batch: expected less than the {} of an epoch, found {}",
                epoch_size_.batches, state_.batch);
  set_training(module_, true);
  if (!stays_ended())  // a resumed training may have been given more epochs, or more patience
    state_.stopped.clear();
  else if (state_.epoch < options_.epochs)
    state_.stopped = kStoppedEarly;
  for (auto& callback : callbacks_) callback->on_begin(*this);
}

bool TrainerCore::stays_ended() const {
  return !state_.stopped.empty() &&
         (state_.epoch >= options_.epochs ||
          std::ranges::any_of(callbacks_, [](const auto& callback) { return callback->has_enough(); }));
}

bool TrainerCore::goes_on() {
  if (signal_of_all() != 0 && state_.stopped.empty()) interrupted_ = true;
  return !interrupted_ && state_.stopped.empty() && state_.epoch < stop_after_;
}

void TrainerCore::begin_epoch() {
  loss_total_.fill_(state_.loss_total);
  loss_weight_.fill_(state_.loss_weight);
  reported_ = {state_.loss_total, state_.loss_weight};
  clock_ = std::chrono::steady_clock::now();
}

double TrainerCore::begin_batch() {
  const int64_t first = state_.batch / options_.accumulate * options_.accumulate;
  const int64_t last = std::min(first + options_.accumulate, epoch_size_.batches);
  if (state_.batch == first) optimizer_->zero_grad();
  // Dropout and the like: a batch's random numbers depend on seed, epoch and batch, so none need saving.
  seed_generators(mix(mix(static_cast<uint64_t>(options_.seed), static_cast<uint64_t>(state_.epoch)),
                      static_cast<uint64_t>(state_.batch)));
  if (last - first == 1) return 1;
  int64_t rows = 0;
  for (int64_t b = first; b < last; ++b) rows += epoch_size_.examples_of(b);
  return static_cast<double>(epoch_size_.examples_of(state_.batch)) / static_cast<double>(rows);
}

bool TrainerCore::end_batch(const LossSum& loss) {
  {
    const c10::NoGradGuard no_gradient;
    loss_total_.add_(loss.total);
    loss_weight_.add_(loss.weight);
  }
  const int64_t rows = epoch_size_.examples_of(state_.batch);
  state_.examples += rows;
  examples_here_ += rows;
  ++state_.batch;
  const bool ends_epoch = state_.batch == epoch_size_.batches;
  if (state_.batch % options_.accumulate != 0 && !ends_epoch) return true;

  if (options_.clip_norm > 0) optimizer_->clip_gradients(options_.clip_norm);
  const double rate = learning_rate();
  optimizer_->step(rate);
  ++state_.step;

  if (state_.step % options_.log_every == 0) {
    pause_clock();
    const LossReading now = read_loss();
    const double seconds = seconds_ - reported_seconds_;
    const StepReport report{
        .loss = (now.total - reported_.total) / (now.weight - reported_.weight),
        .learning_rate = rate,
        .examples_per_second = static_cast<double>(examples_here_ - reported_examples_) / seconds};
    for (auto& callback : callbacks_) callback->on_log(*this, report);
    reported_ = now;
    reported_examples_ = examples_here_;
    reported_seconds_ = seconds_;
    clock_ = std::chrono::steady_clock::now();
  }
  pause_clock();
  if (ends_epoch) return true;
  constexpr int64_t kLookEvery = 16;  // steps, of several ranks, which wait for each other to look
  if (ranks() ? state_.step % kLookEvery == 0 && signal_of_all() != 0 : noted_signal() != 0) {
    interrupted_ = true;
    return false;
  }
  for (auto& callback : callbacks_) callback->on_step(*this);
  clock_ = std::chrono::steady_clock::now();
  return true;
}

// The only place where the loss leaves the device.
TrainerCore::LossReading TrainerCore::read_loss() {
  const LossReading reading{loss_total_.item<double>(), loss_weight_.item<double>()};
  if (!std::isfinite(reading.total)) diverged("the loss is");
  return reading;
}

void TrainerCore::diverged(const std::string& what) const {
  throw Error(ErrorKind::Diverged,
              "training diverged: {} not finite at step {}; lower --lr, or set --clip-norm", what,
              state_.step);
}

void TrainerCore::end_epoch(const std::optional<Metrics>& validation) {
  const LossReading loss = read_loss();
  if (loss.weight == 0)
    throw Error(ErrorKind::Data,
                "expected something to learn from, found none in a whole epoch: no text has two words that "
                "count");
  const auto counted = state_.step > 0 ? schedule_.rate(state_.step - 1) : schedule_.base;
  ++state_.epoch;
  Json record = {{"epoch", state_.epoch},
                 {"step", state_.step},
                 {"lr", counted},
                 {"train_loss", loss.total / loss.weight}};
  if (validation) record["valid"] = validation->record();
  state_.history.push_back(std::move(record));
  state_.batch = 0;
  state_.loss_total = state_.loss_weight = 0;
  loss_total_.zero_();
  loss_weight_.zero_();
  if (state_.epoch >= options_.epochs) stop(kCompleted);
  for (auto& callback : callbacks_) callback->on_epoch(*this);
}

void TrainerCore::end() {
  for (auto& callback : callbacks_) callback->on_end(*this);
}

void TrainerCore::fill(Checkpoint& checkpoint) {
  const LossReading loss = read_loss();
  checkpoint.model = model_tensors(module_);
  if (const auto name = find_not_finite(checkpoint.model); !name.empty()) diverged(name + " is");
  checkpoint.has_training_state = options_.checkpoint_content == CheckpointContent::TrainingState;
  if (checkpoint.has_training_state) checkpoint.optimizer = optimizer_->state();
  checkpoint.training = state_;
  checkpoint.training.loss_total = loss.total;
  checkpoint.training.loss_weight = loss.weight;
  checkpoint.training.callbacks = Json::object();
  for (const auto& callback : callbacks_)
    if (!callback->key().empty()) checkpoint.training.callbacks[callback->key()] = callback->save();
}

void TrainerCore::restore(const Checkpoint& checkpoint, const std::string& source) {
  load_weights(module_, checkpoint, source);
  copy_tensors(checkpoint.optimizer, optimizer_->state(), source);
  state_ = checkpoint.training;
  optimizer_->set_steps(state_.step);
  try {
    for (auto& callback : callbacks_)
      if (const auto key = callback->key(); !key.empty()) {
        const auto saved = state_.callbacks.find(key);
        if (saved != state_.callbacks.end()) callback->load(*saved);
      }
  } catch (const Error& error) {
    throw Error(ErrorKind::Model, "{}: the training state is not as expected ({})", source, error.what());
  }
}

}  // namespace semblance
