#include "training/small_file.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <span>

#include "data/error.h"
#include "training/damaged.h"
#include "training/training_state.h"

namespace semblance {
namespace {

using namespace small_format;

static_assert(std::endian::native == std::endian::little, "the file is mapped as it stands");

[[noreturn]] void damaged(const std::string& path, const std::string& what) {
  throw DamagedCheckpoint(fmt::format("{}: {}; the small model is damaged, export it again", path, what));
}

// A file that is what was written; where its parts are is for the manifest to say.
struct OpenedFile {
  std::shared_ptr<const MappedFile> mapping;
  Json manifest;
  std::string_view parts;  // after the manifest
  uint64_t checksum = 0;
};

OpenedFile open_file(const std::string& path) {
  OpenedFile opened{.mapping = std::make_shared<MappedFile>(path), .manifest = {}, .parts = {}};
  const auto bytes = opened.mapping->bytes();
  const auto number_at = [&](size_t at) {
    uint64_t number = 0;
    std::memcpy(&number, bytes.data() + at, sizeof number);
    return number;
  };
  if (bytes.size() < kHeaderBytes + kChecksumBytes) damaged(path, "the file is truncated");
  const uint64_t end = bytes.size() - kChecksumBytes, length = number_at(kMagic.size());
  opened.checksum = XXH3_64bits(bytes.data(), end);
  if (!bytes.starts_with(kMagic) || opened.checksum != number_at(end))
    damaged(path, "the file does not match its checksum");
  if (length > end - kHeaderBytes) damaged(path, "the manifest is longer than the file");
  opened.manifest = parse_json(bytes.substr(kHeaderBytes, length), "manifest");
  const auto first = std::min(aligned(kHeaderBytes + length), end);
  opened.parts = bytes.substr(first, end - first);
  if (text_in(opened.manifest, "format") != kName) damaged(path, "the manifest is not a small model's");
  if (const auto version = whole_number_in(opened.manifest, "version", 1, INT32_MAX); version > kVersion)
    throw Error(ErrorKind::Model, "{}: expected format version {} or less, found {}; use a newer semblance",
                path, kVersion, version);
  text_in(opened.manifest, "task");
  training_state_from_json(object_in(opened.manifest, "training"));
  for (const char* key : {"config", "model"}) object_in(opened.manifest, key);
  for (const char* key : {"tensors", "files"}) list_in(opened.manifest, key);
  return opened;
}

// The parts of a file, one after the other.
class PartReader {
 public:
  explicit PartReader(std::string_view parts) : parts_(parts) {}
  std::string_view next(uint64_t size) {
    if (size > left()) throw Error(ErrorKind::Data, "expected {} bytes more, found {}", size, left());
    const auto part = parts_.substr(at_, size);
    at_ = std::min(at_ + aligned(size), parts_.size());
    return part;
  }
  uint64_t left() const { return parts_.size() - at_; }

 private:
  std::string_view parts_;
  uint64_t at_ = 0;
};

SmallTensor read_tensor(const Json& entry, PartReader& parts) {
  SmallTensor tensor{.name = text_in(entry, "name"), .shape = {}};
  tensor.type = parse_enum<SmallType>(text_in(entry, "type"), "type");
  uint64_t bytes = tensor.type == SmallType::Float ? sizeof(float) : sizeof(int8_t);
  for (const auto& part : list_in(entry, "shape")) {
    const auto size = part.is_number_unsigned() ? part.get<uint64_t>() : uint64_t{0};
    if (size == 0 || size > parts.left() / bytes)
      throw Error(ErrorKind::Data, "expected a shape that fits the file, found {}",
                  json_line(entry["shape"]));
    bytes *= size;
    tensor.shape.push_back(static_cast<int64_t>(size));
  }
  tensor.data = parts.next(bytes).data();
  if (tensor.type == SmallType::Float) {
    const std::span values(static_cast<const float*>(tensor.data), bytes / sizeof(float));
    if (!std::ranges::all_of(values, [](float value) { return std::isfinite(value); }))
      throw Error(ErrorKind::Data, "expected finite numbers, found others in {}", tensor.name);
  }
  return tensor;
}

// Calls `read`; what does not hold together is damage.
template <class Read>
auto reading(const std::string& path, Read&& read) {
  try {
    return read();
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::Model) throw;
    damaged(path, error.what());
  }
}

}  // namespace

bool is_small_model(const std::string& path) {
  return begins_with(path, kMagic);
}

Json small_model_manifest(const std::string& path) {
  return reading(path, [&] { return open_file(path).manifest; });
}

SmallFile read_small_file(const std::string& path) {
  return reading(path, [&] {
    auto opened = open_file(path);
    SmallFile file;
    PartReader parts(opened.parts);
    for (const auto& entry : opened.manifest["tensors"]) file.tensors.push_back(read_tensor(entry, parts));
    for (const auto& entry : opened.manifest["files"])
      file.files[text_in(entry, "name")] =
          parts.next(static_cast<uint64_t>(whole_number_in(entry, "size", 0, INT64_MAX)));
    if (parts.left() != 0) damaged(path, "expected the end of the file, found more");
    file.manifest = std::move(opened.manifest);
    file.checksum = opened.checksum;
    file.mapping = std::move(opened.mapping);
    return file;
  });
}

}  // namespace semblance
