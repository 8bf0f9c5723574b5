// Where a model runs (row 8.2).
#pragma once

#include <c10/core/Device.h>

#include <string>

namespace semblance {

/// "auto" (the first CUDA device, or the CPU), "cpu", "cuda" or "cuda:N".
/// Throws Error(Usage) for another text and Error(Device) for a device that is not there.
c10::Device resolve_device(const std::string& choice);

/// For people: "cpu", or "cuda:0 (NVIDIA …)".
std::string describe_device(c10::Device device);

}  // namespace semblance
