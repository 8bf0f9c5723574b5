#include "training/module_tensors.h"

#include <torch/nn/module.h>

#include "training/tensor_file.h"

namespace semblance {

NamedTensors model_tensors(const torch::nn::Module& module) {
  NamedTensors tensors;
  for (const auto& item : module.named_parameters()) tensors.emplace_back(item.key(), item.value());
  for (const auto& item : module.named_buffers()) tensors.emplace_back(item.key(), item.value());
  return tensors;
}

void load_weights(torch::nn::Module& module, const Checkpoint& checkpoint, const std::string& source) {
  copy_tensors(checkpoint.model, model_tensors(module), source);
}

void expect_task(const Checkpoint& checkpoint, const std::string& task, const std::string& source) {
  if (checkpoint.task != task)
    throw Error(ErrorKind::Model, "{}: expected a {} model, found one of {}", source, task, checkpoint.task);
}

}  // namespace semblance
