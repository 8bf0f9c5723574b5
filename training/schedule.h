// The learning rate over a training (row 8.1).
#pragma once

#include <array>
#include <cstdint>
#include <utility>

#include "data/fields.h"

namespace semblance {

enum class ScheduleKind { Constant, Linear, Cosine, Step };

template <>
struct EnumNames<ScheduleKind> {
  static constexpr std::array names{
      std::pair{ScheduleKind::Constant, "constant"}, std::pair{ScheduleKind::Linear, "linear"},
      std::pair{ScheduleKind::Cosine, "cosine"}, std::pair{ScheduleKind::Step, "step"}};
};

struct Schedule {
  ScheduleKind kind = ScheduleKind::Constant;
  double base = 0;           ///< the rate after warm-up
  int64_t warmup_steps = 0;  ///< the rate rises linearly over so many steps
  int64_t total_steps = 1;   ///< linear and cosine reach zero after the last of them
  int64_t steps_per_epoch = 1;
  int64_t decay_epochs = 1;  ///< Step: multiply by `decay` every so many epochs
  double decay = 0.1;

  /// The learning rate of step 0, 1, …
  double rate(int64_t step) const;
};

}  // namespace semblance
