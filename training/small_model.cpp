#include "training/small_model.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <memory>

#include "data/error.h"
#include "data/io/atomic_file.h"
#include "data/io/mapped_file.h"
#include "data/tensors.h"
#include "training/tensor_file.h"

namespace semblance {
namespace {

static_assert(std::endian::native == std::endian::little, "the file is mapped as it stands");

constexpr std::string_view kMagic = "SEMBSML1";
constexpr const char* kFormat = "semblance small model";
constexpr int kFormatVersion = 1;
constexpr std::string_view kScalesEnd = "_scales";
constexpr const char* kEmbedding = "embedding.weight";
// What the models call their tables of vectors.
constexpr std::string_view kTables[] = {kEmbedding, "weight", "input", "output"};
constexpr uint64_t kAlignment = 64;
constexpr uint64_t kHeaderBytes = 2 * sizeof(uint64_t), kChecksumBytes = sizeof(uint64_t);
constexpr c10::ScalarType kTypes[] = {at::kFloat, at::kChar};

uint64_t aligned(uint64_t bytes) {
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

std::string scales_of(std::string_view name) {
  return std::string(name) + std::string(kScalesEnd);
}

const at::Tensor* find(const NamedTensors& tensors, std::string_view name) {
  const auto found = std::ranges::find(tensors, name, &NamedTensors::value_type::first);
  return found == tensors.end() ? nullptr : &found->second;
}

std::string manifest_text(const Checkpoint& packed) {
  TrainingState training = packed.training;
  training.callbacks = Json::object();  // what a training goes on with
  Json manifest = {{"format", kFormat},
                   {"version", kFormatVersion},
                   {"task", packed.task},
                   {"content", "small"},
                   {"config", packed.config},
                   {"model", packed.model_info},
                   {"training", training_state_to_json(training)},
                   {"tensors", Json::array()},
                   {"files", Json::array()}};
  for (const auto& [name, tensor] : packed.model) {
    if (std::ranges::find(kTypes, tensor.scalar_type()) == std::end(kTypes))
      throw Error(ErrorKind::Internal, "{}: tensors of type {} cannot be saved", name,
                  c10::toString(tensor.scalar_type()));
    manifest["tensors"].push_back(
        {{"name", name}, {"shape", tensor.sizes().vec()}, {"type", c10::toString(tensor.scalar_type())}});
  }
  for (const auto& [name, content] : packed.files)
    manifest["files"].push_back({{"name", name}, {"size", content.size()}});
  return json_line(manifest);
}

// Writes, and keeps count and checksum of what is written.
class SummingWriter {
 public:
  explicit SummingWriter(FileWriter& to) : to_(to) { XXH3_64bits_reset(&state_); }
  void write(std::string_view bytes) {
    XXH3_64bits_update(&state_, bytes.data(), bytes.size());
    to_.write(bytes);
    written_ += bytes.size();
  }
  void write(uint64_t number) { write({reinterpret_cast<const char*>(&number), sizeof number}); }
  void align() { write(std::string(aligned(written_) - written_, '\0')); }
  uint64_t checksum() const { return XXH3_64bits_digest(&state_); }
  uint64_t written() const { return written_; }

 private:
  FileWriter& to_;
  XXH3_state_t state_;
  uint64_t written_ = 0;
};

// A file that is what was written; where its parts are is for the manifest to say.
struct OpenedFile {
  std::shared_ptr<MappedFile> file;
  Json manifest;
  std::string_view parts;  // after the manifest
  uint64_t checksum = 0;
};

[[noreturn]] void damaged(const std::string& path, const std::string& what) {
  throw DamagedCheckpoint(fmt::format("{}: {}; the small model is damaged, export it again", path, what));
}

OpenedFile open_file(const std::string& path) {
  OpenedFile opened{.file = std::make_shared<MappedFile>(path), .manifest = {}, .parts = {}};
  const auto bytes = opened.file->bytes();
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
  if (text_in(opened.manifest, "format") != kFormat) damaged(path, "the manifest is not a small model's");
  if (const auto version = whole_number_in(opened.manifest, "version", 1, INT32_MAX);
      version > kFormatVersion)
    throw Error(ErrorKind::Model, "{}: expected format version {} or less, found {}; use a newer semblance",
                path, kFormatVersion, version);
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

at::Tensor read_tensor(const Json& entry, PartReader& parts, const std::shared_ptr<MappedFile>& file) {
  const auto& type_name = text_in(entry, "type");
  const auto type =
      std::ranges::find(kTypes, type_name, [](c10::ScalarType t) { return std::string(c10::toString(t)); });
  if (type == std::end(kTypes))
    throw Error(ErrorKind::Data, "expected a type that is known, found {}", type_name);
  std::vector<int64_t> shape;
  uint64_t bytes = c10::elementSize(*type);
  for (const auto& part : list_in(entry, "shape")) {
    const auto size = part.is_number_unsigned() ? part.get<uint64_t>() : uint64_t{0};
    if (size == 0 || size > parts.left() / bytes)
      throw Error(ErrorKind::Data, "expected a shape that fits the file, found {}",
                  json_line(entry["shape"]));
    bytes *= size;
    shape.push_back(static_cast<int64_t>(size));
  }
  return tensor_over(parts.next(bytes).data(), shape, *type, file);
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

Checkpoint packed_checkpoint(const Checkpoint& checkpoint) {
  Checkpoint packed = checkpoint;
  packed.has_training_state = false;
  packed.optimizer.clear();
  packed.model.clear();
  for (const auto& [name, tensor] : checkpoint.model) {
    const bool is_table = std::ranges::find(kTables, name) != std::end(kTables) && tensor.dim() == 2 &&
                          tensor.scalar_type() == at::kFloat;
    if (is_table && tensor.size(1) > 1) {
      const auto table = pack_table(tensor);
      packed.model.emplace_back(name, table.values);
      packed.model.emplace_back(scales_of(name), table.scales);
    } else {
      packed.model.emplace_back(name, tensor.detach().cpu().contiguous());
    }
  }
  return packed;
}

int64_t small_model_bytes(const Checkpoint& packed) {
  uint64_t bytes = aligned(kHeaderBytes + manifest_text(packed).size());
  for (const auto& [name, tensor] : packed.model) bytes += aligned(tensor.nbytes());
  for (const auto& [name, content] : packed.files) bytes += aligned(content.size());
  return static_cast<int64_t>(bytes + kChecksumBytes);
}

int64_t write_small_model(const std::string& path, const Checkpoint& packed) {
  AtomicFile file(path);
  SummingWriter writer(file.writer());
  const auto manifest = manifest_text(packed);
  writer.write(kMagic);
  writer.write(manifest.size());
  writer.write(manifest);
  writer.align();
  for (const auto& [name, tensor] : packed.model) {
    writer.write({static_cast<const char*>(tensor.const_data_ptr()), static_cast<size_t>(tensor.nbytes())});
    writer.align();
  }
  for (const auto& [name, content] : packed.files) {
    writer.write(content);
    writer.align();
  }
  writer.write(writer.checksum());
  file.commit();
  return static_cast<int64_t>(writer.written());
}

Json small_model_manifest(const std::string& path) {
  return reading(path, [&] { return open_file(path).manifest; });
}

Checkpoint read_small_model(const std::string& path) {
  return reading(path, [&] {
    const auto opened = open_file(path);
    const Json& manifest = opened.manifest;
    Checkpoint checkpoint;
    checkpoint.identity = opened.checksum;
    checkpoint.task = text_in(manifest, "task");
    checkpoint.config = manifest["config"];
    checkpoint.model_info = manifest["model"];
    checkpoint.training = training_state_from_json(manifest["training"]);
    PartReader parts(opened.parts);
    for (const auto& entry : manifest["tensors"])
      checkpoint.model.emplace_back(text_in(entry, "name"), read_tensor(entry, parts, opened.file));
    for (const auto& entry : manifest["files"])
      checkpoint.files[text_in(entry, "name")] =
          parts.next(static_cast<uint64_t>(whole_number_in(entry, "size", 0, INT64_MAX)));
    if (parts.left() != 0) damaged(path, "expected the end of the file, found more");
    if (const auto name = find_not_finite(checkpoint.model); !name.empty())
      damaged(path, fmt::format("expected finite numbers, found others in {}", name));
    return checkpoint;
  });
}

PackedTable packed_embedding(const Checkpoint& checkpoint, int64_t rows, int64_t dim, c10::Device device) {
  const auto* values = find(checkpoint.model, kEmbedding);
  const auto* scales = find(checkpoint.model, scales_of(kEmbedding));
  if (!values || !scales || !device.is_cpu()) return {};
  if (values->sizes() != at::IntArrayRef{rows, dim} || values->scalar_type() != at::kChar ||
      scales->sizes() != at::IntArrayRef{rows} || scales->scalar_type() != at::kFloat)
    throw Error(ErrorKind::Model, "expected a packed table of {} x {}, found another", rows, dim);
  return {*values, *scales};
}

NamedTensors unpack_tables(const NamedTensors& tensors, const NamedTensors& wanted) {
  NamedTensors unpacked;
  for (const auto& [name, tensor] : tensors) {
    const auto* scales = find(tensors, scales_of(name));
    const bool unpack = scales && !find(wanted, scales_of(name)) && tensor.scalar_type() == at::kChar &&
                        tensor.dim() == 2 && scales->sizes() == at::IntArrayRef{tensor.size(0)};
    if (unpack)
      unpacked.emplace_back(name, unpack_rows({tensor, *scales}, 0, tensor.size(0)));
    else if (!name.ends_with(kScalesEnd) || find(wanted, name))
      unpacked.emplace_back(name, tensor);
  }
  return unpacked;
}

}  // namespace semblance
