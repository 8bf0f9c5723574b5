// The option --temperature.
#pragma once

#include "data/fields.h"

namespace semblance {

inline constexpr double kLeastTemperature = 0.01, kMostTemperature = 100;

inline constexpr Field kTemperatureField{.help =
                                             "logits are divided by it, which changes probabilities and no "
                                             "label: above 1 they are less sure; evaluate "
                                             "--fit-temperature finds it",
                                         .min = kLeastTemperature,
                                         .max = kMostTemperature};

}  // namespace semblance
