#include "models/module_access.h"

#include <torch/nn/module.h>

namespace semblance {

NamedTensors model_tensors(const torch::nn::Module& module) {
  NamedTensors tensors;
  for (const auto& item : module.named_parameters()) tensors.emplace_back(item.key(), item.value());
  for (const auto& item : module.named_buffers()) tensors.emplace_back(item.key(), item.value());
  return tensors;
}

NamedTensors trained_parameters(const torch::nn::Module& module) {
  NamedTensors parameters;
  for (const auto& item : module.named_parameters())
    if (item.value().requires_grad()) parameters.emplace_back(item.key(), item.value());
  return parameters;
}

void move_to(torch::nn::Module& module, c10::Device device) {
  module.to(device);
}

void set_training(torch::nn::Module& module, bool training) {
  module.train(training);
}

EvaluationMode::EvaluationMode(torch::nn::Module& module) : module_(module), training_(module.is_training()) {
  module_.eval();
}
EvaluationMode::~EvaluationMode() {
  module_.train(training_);
}

}  // namespace semblance
