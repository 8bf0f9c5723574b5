#include "training/callbacks/early_stopping.h"

#include "training/trainer.h"

namespace semblance {

void EarlyStopping::on_epoch(TrainerCore& trainer) {
  const auto& record = trainer.state().history.back();
  if (!record.contains("valid")) return;
  const auto value = named_number(record["valid"], trainer.metric().name);
  const bool better =
      value.is_number() && (!best_ || (trainer.metric().higher_is_better ? value.get<double>() > *best_
                                                                         : value.get<double>() < *best_));
  if (better) {
    best_ = value.get<double>();
    waited_ = 0;
  } else if (++waited_ >= patience_) {
    trainer.stop("early-stopping");
  }
}

Json EarlyStopping::save() const {
  return {{"waited", waited_}, {"best", best_ ? Json(*best_) : Json(nullptr)}};
}

void EarlyStopping::load(const Json& state) {
  waited_ = state.at("waited").get<int64_t>();
  best_.reset();
  if (!state.at("best").is_null()) best_ = state.at("best").get<double>();
}

}  // namespace semblance
