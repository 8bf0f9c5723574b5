// Tensors by name, as modules, optimizers and checkpoints hold them.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <utility>
#include <vector>

namespace semblance {

using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;

}  // namespace semblance
