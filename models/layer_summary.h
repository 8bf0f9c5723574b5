// What layers say of themselves in a model's summary.
#pragma once

#include <torch/nn/modules/linear.h>

#include <string>
#include <vector>

#include "models/networks.h"

namespace semblance {

/// "[batch, a, b]"
inline std::string batch_shape(const std::vector<int64_t>& sizes) {
  std::string text = "[batch";
  for (const int64_t size : sizes) text += ", " + std::to_string(size);
  return text + "]";
}

inline LayerSummary summary_of(const torch::nn::LinearImpl& linear) {
  return {"linear", batch_shape({linear.options.out_features()}), linear.weight.numel() + linear.bias.numel(),
          linear.weight.requires_grad()};
}

}  // namespace semblance
