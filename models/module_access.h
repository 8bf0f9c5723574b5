// What training and serving do with any torch::nn::Module, without its headers.
#pragma once

#include <c10/core/Device.h>

#include "models/named_tensors.h"

namespace torch::nn {
class Module;
}

namespace semblance {

/// Parameters and buffers (live).
NamedTensors model_tensors(const torch::nn::Module& module);
/// The parameters that are trained (live).
NamedTensors trained_parameters(const torch::nn::Module& module);

void move_to(torch::nn::Module& module, c10::Device device);
void set_training(torch::nn::Module& module, bool training);

/// Puts a module into evaluation mode and its former mode back.
class EvaluationMode {
 public:
  explicit EvaluationMode(torch::nn::Module& module);
  ~EvaluationMode();
  EvaluationMode(const EvaluationMode&) = delete;
  EvaluationMode& operator=(const EvaluationMode&) = delete;

 private:
  torch::nn::Module& module_;
  bool training_;
};

}  // namespace semblance
