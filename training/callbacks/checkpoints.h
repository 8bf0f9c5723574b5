// Writes checkpoints, names the last and the best, and keeps the last few and the best.
//
// A process may be killed between any two of these. So LAST, BEST and what is kept follow from the
// checkpoints that are there and from the history, after each checkpoint and once more where a training is
// resumed. What was just written, LAST and BEST are never removed.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "training/callback.h"
#include "training/run_folder.h"
#include "training/trainer_options.h"

namespace semblance {

class Checkpoints : public Callback {
 public:
  using Clock = std::function<std::chrono::steady_clock::time_point()>;

  /// `base` holds what does not change during training: task, config, model_info, files.
  Checkpoints(RunFolder run, Checkpoint base, const TrainerOptions& options,
              Clock clock = std::chrono::steady_clock::now);

  void on_begin(TrainerCore&) override;
  void on_step(TrainerCore&) override;
  void on_epoch(TrainerCore&) override;
  void on_end(TrainerCore&) override;

  std::string key() const override { return kCheckpointsKey; }
  Json save() const override;
  void load(const Json& state) override;

 private:
  void write(TrainerCore& trainer);
  void settle(const TrainerCore& trainer);
  bool is_later(const std::string& name) const;

  RunFolder run_;
  Checkpoint base_;
  Interval interval_;
  int64_t keep_last_;
  Clock clock_;
  std::string best_;                  // name of the best checkpoint
  std::optional<double> best_value_;  // of the trainer's metric there
  int64_t written_step_ = -1;         // step of the checkpoint written or resumed last
  bool written_whole_epoch_ = false;  // whether that one followed a validation
  std::chrono::steady_clock::time_point written_at_;
};

}  // namespace semblance
