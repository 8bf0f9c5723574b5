// A module's tensors by name, as checkpoints hold them, and a served model's way from a checkpoint.
#pragma once

#include <string>

#include "training/checkpoint.h"

namespace torch::nn {
class Module;
}

namespace semblance {

/// Parameters and buffers (live).
NamedTensors model_tensors(const torch::nn::Module& module);

/// Copies the checkpoint's weights into `module`. Throws Error(Model) naming `source` if they do not fit.
void load_weights(torch::nn::Module& module, const Checkpoint& checkpoint, const std::string& source);

/// Throws Error(Model) unless the checkpoint is of `task`.
void expect_task(const Checkpoint& checkpoint, const std::string& task, const std::string& source);

/// Calls `build`, which makes a model from a checkpoint; whatever does not fit becomes Error(Model).
template <class Build>
void build_model(const std::string& source, Build&& build) {
  constexpr const char* kUnexpected = "{}: the model's description is not as expected ({})";
  try {
    build();
  } catch (const Error& error) {
    throw Error(ErrorKind::Model, error.what());
  } catch (const std::out_of_range& error) {
    throw Error(ErrorKind::Model, kUnexpected, source, error.what());
  } catch (const Json::exception& error) {
    throw Error(ErrorKind::Model, kUnexpected, source, error.what());
  }
}

}  // namespace semblance
