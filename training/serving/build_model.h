// What goes wrong while a model is made of what a file holds.
#pragma once

#include <functional>
#include <string>

namespace semblance {

/// Calls `build`, which makes a model from a checkpoint of `source`; whatever does not fit becomes
/// Error(Model) that names it.
void build_model(const std::string& source, const std::function<void()>& build);

}  // namespace semblance
