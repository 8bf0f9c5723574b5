#include "training/training_state.h"

namespace semblance {
namespace {

constexpr int64_t kMost = int64_t{1} << 53;  // whole numbers that any reader of JSON keeps

}  // namespace

Json training_state_to_json(const TrainingState& state) {
  return {{"epoch", state.epoch},       {"batch", state.batch},           {"step", state.step},
          {"examples", state.examples}, {"loss_total", state.loss_total}, {"loss_weight", state.loss_weight},
          {"stopped", state.stopped},   {"history", state.history},       {"callbacks", state.callbacks}};
}

TrainingState training_state_from_json(const Json& json) {
  TrainingState state{.epoch = whole_number_in(json, "epoch", 0, kMost),
                      .batch = whole_number_in(json, "batch", 0, kMost),
                      .step = whole_number_in(json, "step", 0, kMost),
                      .examples = whole_number_in(json, "examples", 0, kMost),
                      .loss_total = finite_number_in(json, "loss_total"),
                      .loss_weight = finite_number_in(json, "loss_weight"),
                      .history = list_in(json, "history"),
                      .stopped = text_in(json, "stopped"),
                      .callbacks = object_in(json, "callbacks")};
  if (static_cast<int64_t>(state.history.size()) != state.epoch)
    throw Error(ErrorKind::Data, "history: expected a record for each of {} epochs, found {}", state.epoch,
                state.history.size());
  for (const auto& record : state.history) {
    whole_number_in(record, "epoch", 1, state.epoch);
    whole_number_in(record, "step", 0, state.step);
    finite_number_in(record, "lr");
    if (!record.contains("train_loss") ||
        !record["train_loss"].is_null())  // null: there was nothing to learn
      finite_number_in(record, "train_loss");
    if (record.contains("valid")) object_in(record, "valid");
  }
  return state;
}

}  // namespace semblance
