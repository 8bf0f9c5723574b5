// A model's layers, for people and as JSON.
#pragma once

#include <string>
#include <vector>

#include "data/config.h"
#include "models/networks.h"

namespace semblance {

/// Lines: a header, a line for each layer, the parameters in total, and of them those that training changes
/// where some stay as they are.
std::vector<std::string> layer_lines(const std::vector<LayerSummary>& layers);

/// A list of objects with the fields of LayerSummary.
Json layers_json(const std::vector<LayerSummary>& layers);

}  // namespace semblance
