// Tensors in a safetensors file: 8 bytes of header length, a JSON header, the tensors' bytes.
// Format: https://huggingface.co/docs/safetensors
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "models/named_tensors.h"

namespace semblance {

/// Writes the tensors (moved to the CPU if need be). Throws Error(Model).
void write_tensors(const std::filesystem::path& path, const NamedTensors& tensors);

struct TensorInfo {
  std::string name;
  c10::ScalarType type;
  std::vector<int64_t> shape;
};

/// What `read_tensors` would read, from the header alone: every size is checked against the file's. Metadata
/// is passed over. Throws Error(Data) where the file does not hold together, ReadError where it cannot be
/// read.
std::vector<TensorInfo> list_tensors(const std::filesystem::path& path);

/// Reads all tensors; memory is taken for no more than the file holds. Throws as `list_tensors` does.
NamedTensors read_tensors(const std::filesystem::path& path);

/// The name of the first tensor with a NaN or an infinity; empty if there is none.
std::string find_not_finite(const NamedTensors& tensors);

/// Copies each of `from` into the tensor of the same name in `to`. Throws Error(Model) naming `source` if a
/// name, shape or type differs or is missing on either side.
void copy_tensors(const NamedTensors& from, NamedTensors to, const std::string& source);

}  // namespace semblance
