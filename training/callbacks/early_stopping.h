// Stops a training whose metric has not become better for a number of epochs.
#pragma once

#include <optional>

#include "training/callback.h"

namespace semblance {

class EarlyStopping : public Callback {
 public:
  /// `patience`: epochs to wait for a better value.
  explicit EarlyStopping(int64_t patience) : patience_(patience) {}

  void on_epoch(TrainerCore&) override;
  bool has_enough() const override { return waited_ >= patience_; }
  std::string key() const override { return "early_stopping"; }
  Json save() const override;
  void load(const Json& state) override;

 private:
  int64_t patience_;
  int64_t waited_ = 0;
  std::optional<double> best_;
};

}  // namespace semblance
