// The file of a small model, which is opened by mapping it. checkpoints/README.md describes the format.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "data/config.h"
#include "data/io/mapped_file.h"

namespace semblance {

enum class SmallType { Float, Char };

template <>
struct EnumNames<SmallType> {
  static constexpr std::array names{std::pair{SmallType::Float, "Float"}, std::pair{SmallType::Char, "Char"}};
};

namespace small_format {

inline constexpr std::string_view kMagic = "SEMBSML1";
inline constexpr const char* kName = "semblance small model";
inline constexpr int kVersion = 1;
inline constexpr uint64_t kHeaderBytes = 2 * sizeof(uint64_t), kChecksumBytes = sizeof(uint64_t);

/// Where the part after one of `bytes` begins.
inline uint64_t aligned(uint64_t bytes) {
  constexpr uint64_t kAlignment = 64;
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

}  // namespace small_format

/// As it lies in the file.
struct SmallTensor {
  std::string name;
  SmallType type = SmallType::Float;
  std::vector<int64_t> shape;
  const void* data = nullptr;
};

struct SmallFile {
  Json manifest;
  std::vector<SmallTensor> tensors;
  std::map<std::string, std::string> files;
  uint64_t checksum = 0;  ///< of all of it
  std::shared_ptr<const MappedFile> mapping;
};

/// Whether a file begins as a small model; false for what cannot be opened.
bool is_small_model(const std::string& path);

/// Verifies, then reads. Throws DamagedCheckpoint, also for numbers that are not finite, and Error(Model) for
/// what cannot be read or is of a later version.
SmallFile read_small_file(const std::string& path);
/// Its manifest alone, verified likewise.
Json small_model_manifest(const std::string& path);

}  // namespace semblance
