// What happens beside the training: a list made at run time. A hook gets the trainer's common part, and is
// called in the trainer's thread.
#pragma once

#include <string>

#include "data/config.h"

namespace semblance {

class TrainerCore;

/// The mean over the steps since the last report.
struct StepReport {
  double loss = 0;
  double learning_rate = 0;
  double examples_per_second = 0;
};

class Callback {
 public:
  virtual ~Callback() = default;

  virtual void on_begin(TrainerCore&) {}
  /// After a step that does not end its epoch.
  virtual void on_step(TrainerCore&) {}
  /// Every `log_every` steps.
  virtual void on_log(TrainerCore&, const StepReport&) {}
  /// After an epoch and its validation; its record is the history's last.
  virtual void on_epoch(TrainerCore&) {}
  /// When training ends, for whatever reason but an error.
  virtual void on_end(TrainerCore&) {}

  /// Whether it ended the training and would again: a training that is resumed then stays ended.
  virtual bool has_enough() const { return false; }

  /// A callback with state names it here and gets it back when a training is resumed.
  virtual std::string key() const { return {}; }
  virtual Json save() const { return {}; }
  virtual void load(const Json&) {}
};

}  // namespace semblance
