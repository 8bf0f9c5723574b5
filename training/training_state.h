// Where a training stands: what a checkpoint keeps of it beside tensors, to and from JSON.
#pragma once

#include <cstdint>
#include <string>

#include "data/config.h"

namespace semblance {

/// Saved whole, so that a resumed training goes on bit for bit.
struct TrainingState {
  int64_t epoch = 0;      ///< epochs done
  int64_t batch = 0;      ///< batches done of the next one
  int64_t step = 0;       ///< optimizer steps done
  int64_t examples = 0;   ///< examples seen
  double loss_total = 0;  ///< of the epoch that is under way
  double loss_weight = 0;
  Json history = Json::array();     ///< one record per epoch: epoch, step, lr, train_loss, valid
  std::string stopped;              ///< why it ended: completed, early-stopping; empty if it has not
  Json callbacks = Json::object();  ///< the callbacks' own states, by their keys
};

Json training_state_to_json(const TrainingState& state);
/// Throws Error(Data) that names a value which is missing, of another type or out of range.
TrainingState training_state_from_json(const Json& json);

}  // namespace semblance
