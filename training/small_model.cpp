#include "training/small_model.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>

#include "data/error.h"
#include "data/io/atomic_file.h"
#include "data/tensors.h"
#include "models/kernel_choice.h"
#include "training/small_file.h"

namespace semblance {
namespace {

using small_format::aligned;
using small_format::kChecksumBytes;
using small_format::kHeaderBytes;

constexpr std::string_view kScalesEnd = "_scales";
constexpr const char* kEmbedding = "embedding.weight";
// What the models call their tables of vectors.
constexpr std::string_view kTables[] = {kEmbedding, "weight", "input", "output"};

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
  Json manifest = {{"format", small_format::kName},
                   {"version", small_format::kVersion},
                   {"task", packed.task},
                   {"content", "small"},
                   {"config", packed.config},
                   {"model", packed.model_info},
                   {"training", training_state_to_json(training)},
                   {"tensors", Json::array()},
                   {"files", Json::array()}};
  for (const auto& [name, tensor] : packed.model) {
    if (tensor.scalar_type() != at::kFloat && tensor.scalar_type() != at::kChar)
      throw Error(ErrorKind::Internal, "{}: tensors of type {} cannot be saved", name,
                  c10::toString(tensor.scalar_type()));
    const auto type = tensor.scalar_type() == at::kFloat ? SmallType::Float : SmallType::Char;
    manifest["tensors"].push_back(
        {{"name", name}, {"shape", tensor.sizes().vec()}, {"type", enum_name(type)}});
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

}  // namespace

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
  writer.write(small_format::kMagic);
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

Checkpoint read_small_model(const std::string& path) {
  auto file = read_small_file(path);
  Checkpoint checkpoint;
  checkpoint.identity = file.checksum;
  checkpoint.task = text_in(file.manifest, "task");
  checkpoint.config = file.manifest["config"];
  checkpoint.model_info = file.manifest["model"];
  checkpoint.training = training_state_from_json(file.manifest["training"]);
  for (const auto& [name, type, shape, data] : file.tensors)
    checkpoint.model.emplace_back(
        name, tensor_over(data, shape, type == SmallType::Float ? at::kFloat : at::kChar, file.mapping));
  checkpoint.files = std::move(file.files);
  return checkpoint;
}

PackedTable packed_embedding(const Checkpoint& checkpoint, int64_t rows, int64_t dim, c10::Device device) {
  const auto* values = find(checkpoint.model, kEmbedding);
  const auto* scales = find(checkpoint.model, scales_of(kEmbedding));
  if (!values || !scales || !device.is_cpu() || !own_kernels()) return {};
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
