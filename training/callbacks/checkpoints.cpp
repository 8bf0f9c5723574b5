#include "training/callbacks/checkpoints.h"

#include <algorithm>
#include <cmath>
#include <tuple>

#include "training/trainer.h"

namespace semblance {
namespace {

// The validation's value of the metric in an epoch's record, where it is no worse than `before`: of equal
// epochs the latest is best.
std::optional<double> better_value(const MetricInfo& metric, const Json& record,
                                   const std::optional<double>& before) {
  if (!record.contains("valid")) return std::nullopt;
  const auto value = named_number(record["valid"], metric.name);
  const double now = value.is_number() ? value.get<double>() : NAN;
  if (!std::isfinite(now)) return std::nullopt;
  if (before && (metric.higher_is_better ? now < *before : now > *before)) return std::nullopt;
  return now;
}

// The one of `names` with the best epoch, and its value; none if none of them was validated.
std::pair<std::string, std::optional<double>> find_best(const TrainerCore& trainer,
                                                        const std::vector<std::string>& names) {
  std::pair<std::string, std::optional<double>> best;
  for (const auto& record : trainer.state().history) {
    auto name = RunFolder::checkpoint_name(record.at("step").get<int64_t>());
    if (std::ranges::find(names, name) == names.end()) continue;
    if (const auto value = better_value(trainer.metric(), record, best.second))
      best = {std::move(name), value};
  }
  return best;
}

}  // namespace

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
  if (written_step_ < 0) return;
  // The best that the state knows of may be gone, as where a training goes on from before a damaged one.
  const auto names = run_.checkpoints();
  if (is_later(best_) || std::ranges::find(names, best_) == names.end())
    std::tie(best_, best_value_) = find_best(trainer, names);
  settle(trainer);  // whoever wrote the last one may have been killed before it did
  for (const auto& name : run_.checkpoints())
    if (is_later(name)) run_.set_aside(name);
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
  const auto value = better_value(trainer.metric(), state.history.back(), best_value_);
  if (value) {
    best_value_ = value;
    best_ = RunFolder::checkpoint_name(state.step);
  }
  const bool due = interval_.unit == Interval::Unit::Epochs
                       ? state.epoch % interval_.count == 0
                       : interval_.unit == Interval::Unit::Steps && state.step % interval_.count == 0;
  if (due || value) write(trainer);
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
  written_step_ = trainer.state().step;
  written_whole_epoch_ = trainer.state().batch == 0;
  written_at_ = clock_();
  settle(trainer);
}

// Names the last and the best of what is there, and removes what is too much.
void Checkpoints::settle(const TrainerCore& trainer) {
  auto names = run_.checkpoints();
  std::erase_if(names, [&](const auto& name) { return is_later(name); });
  const auto best = find_best(trainer, names).first;
  const auto last = names.empty() ? "" : names.back();
  run_.set_last(last);
  run_.set_best(best);
  const auto surplus = static_cast<int64_t>(names.size()) - keep_last_;
  for (int64_t i = 0; i < surplus; ++i)
    if (const auto& name = names[static_cast<size_t>(i)]; name != best && name != last)
      run_.remove_checkpoint(name);
}

// Such a one is damaged, else this training had come from it: it counts for nothing.
bool Checkpoints::is_later(const std::string& name) const {
  return RunFolder::checkpoint_step(name) > written_step_;
}

Json Checkpoints::save() const {
  return {{"best", best_}, {"best_value", best_value_ ? Json(*best_value_) : Json(nullptr)}};
}

void Checkpoints::load(const Json& state) {
  best_ = text_in(state, "best");
  best_value_.reset();
  if (!best_.empty()) best_value_ = finite_number_in(state, "best_value");
}

}  // namespace semblance
