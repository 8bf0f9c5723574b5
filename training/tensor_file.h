// Tensors in a safetensors file: 8 bytes of header length, a JSON header, the tensors' bytes.
// Format: https://huggingface.co/docs/safetensors
#pragma once

#include <filesystem>

#include "models/named_tensors.h"

namespace semblance {

/// Writes the tensors (moved to the CPU if need be). Throws Error(Model).
void write_tensors(const std::filesystem::path& path, const NamedTensors& tensors);

/// Reads all tensors. Every size is checked against the file's before memory is taken. Throws Error(Model).
NamedTensors read_tensors(const std::filesystem::path& path);

/// Copies each of `from` into the tensor of the same name in `to`. Throws Error(Model) naming `source` if a
/// name, shape or type differs or is missing on either side.
void copy_tensors(const NamedTensors& from, NamedTensors to, const std::string& source);

}  // namespace semblance
