#include "training/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace semblance {

double Schedule::rate(int64_t step) const {
  if (step < warmup_steps) return base * static_cast<double>(step + 1) / static_cast<double>(warmup_steps);
  const auto length = static_cast<double>(std::max<int64_t>(1, total_steps - warmup_steps));
  const double share = std::min(1.0, static_cast<double>(step - warmup_steps) / length);
  switch (kind) {
    case ScheduleKind::Constant:
      return base;
    case ScheduleKind::Linear:
      return base * (1 - share);
    case ScheduleKind::Cosine:
      return base * 0.5 * (1 + std::cos(std::numbers::pi * share));
    case ScheduleKind::Step:
      return base * std::pow(decay, static_cast<double>(step / std::max<int64_t>(1, steps_per_epoch) /
                                                        decay_epochs));
  }
  return base;
}

}  // namespace semblance
