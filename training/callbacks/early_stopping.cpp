#include "training/callbacks/early_stopping.h"

#include <cmath>

#include "training/trainer.h"

namespace semblance {

void EarlyStopping::on_epoch(TrainerCore& trainer) {
  const auto& record = trainer.state().history.back();
  if (!record.contains("valid")) return;
  const auto value = named_number(record["valid"], trainer.metric().name);
  const double now = value.is_number() ? value.get<double>() : NAN;
  const bool better =
      std::isfinite(now) && (!best_ || (trainer.metric().higher_is_better ? now > *best_ : now < *best_));
  if (better) {
    best_ = now;
    waited_ = 0;
  } else if (++waited_ >= patience_) {
    trainer.stop(kStoppedEarly);
  }
}

Json EarlyStopping::save() const {
  return {{"waited", waited_}, {"best", best_ ? Json(*best_) : Json(nullptr)}};
}

void EarlyStopping::load(const Json& state) {
  waited_ = whole_number_in(state, "waited", 0, INT64_MAX);
  best_.reset();
  if (!state.contains("best") || !state["best"].is_null()) best_ = finite_number_in(state, "best");
}

}  // namespace semblance
