#include "training/callbacks/checkpoints.h"

#include <cmath>

#include "training/trainer.h"

namespace semblance {

Checkpoints::Checkpoints(RunFolder run, Checkpoint base, const TrainerOptions& options, Clock clock)
    : run_(std::move(run)),
      base_(std::move(base)),
      interval_(parse_interval(options.checkpoint_every, "checkpoint-every")),
      keep_last_(options.keep_last),
      clock_(std::move(clock)) {}

void Checkpoints::on_begin(TrainerCore& trainer) {
  written_at_ = clock_();
  written_step_ = trainer.state().step > 0 ? trainer.state().step : -1;  // what a resumed training came from
  written_whole_epoch_ = trainer.state().batch == 0;
}

void Checkpoints::on_step(TrainerCore& trainer) {
  const bool due = interval_.unit == Interval::Unit::Steps
                       ? trainer.state().step % interval_.count == 0
                       : interval_.unit == Interval::Unit::Minutes &&
                             clock_() - written_at_ >= std::chrono::minutes(interval_.count);
  if (due) write(trainer);
}

void Checkpoints::on_epoch(TrainerCore& trainer) {
  const auto& state = trainer.state();
  const auto& record = state.history.back();
  bool is_best = false;
  if (record.contains("valid")) {
    const auto value = named_number(record["valid"], trainer.metric().name);
    if (value.is_number()) {
      const double now = value.get<double>();
      is_best = !best_value_ || (trainer.metric().higher_is_better ? now > *best_value_ : now < *best_value_);
      if (is_best) {
        best_value_ = now;
        best_ = RunFolder::checkpoint_name(state.step);
      }
    }
  }
  const bool due = interval_.unit == Interval::Unit::Epochs
                       ? state.epoch % interval_.count == 0
                       : interval_.unit == Interval::Unit::Steps && state.step % interval_.count == 0;
  if (due || is_best) write(trainer);
}

void Checkpoints::on_end(TrainerCore& trainer) {
  if (written_step_ != trainer.state().step || written_whole_epoch_ != (trainer.state().batch == 0))
    write(trainer);
}

void Checkpoints::write(TrainerCore& trainer) {
  const auto name = RunFolder::checkpoint_name(trainer.state().step);
  auto checkpoint = base_;
  trainer.fill(checkpoint);
  write_checkpoint(run_.checkpoint_path(name), checkpoint);
  run_.set_last(name);
  if (!best_.empty()) run_.set_best(best_);
  written_step_ = trainer.state().step;
  written_whole_epoch_ = trainer.state().batch == 0;
  written_at_ = clock_();
  rotate();
}

void Checkpoints::rotate() {
  const auto names = run_.checkpoints();
  const auto surplus = static_cast<int64_t>(names.size()) - keep_last_;
  for (int64_t i = 0; i < surplus; ++i)
    if (const auto& name = names[static_cast<size_t>(i)]; name != best_) run_.remove_checkpoint(name);
}

Json Checkpoints::save() const {
  return {{"best", best_}, {"best_value", best_value_ ? Json(*best_value_) : Json(nullptr)}};
}

void Checkpoints::load(const Json& state) {
  best_ = state.at("best").get<std::string>();
  best_value_.reset();
  if (!state.at("best_value").is_null()) best_value_ = state.at("best_value").get<double>();
}

}  // namespace semblance
