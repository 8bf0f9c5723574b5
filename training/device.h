// Where a model runs (row 8.2).
#pragma once

#include <c10/core/Device.h>

#include <filesystem>
#include <string>

namespace semblance {

/// "auto" (the first CUDA device, or the CPU), "cpu", "cuda" or "cuda:N".
/// Throws Error(Usage) for another text and Error(Device) for a device that is not there.
c10::Device resolve_device(const std::string& choice);

/// For people: "cpu (AMD EPYC …)", "cuda:0 (NVIDIA …)", without a name where none is to be had. `proc` stands
/// for /proc.
std::string describe_device(c10::Device device, const std::filesystem::path& proc = "/proc");

}  // namespace semblance
