#include "training/checkpoint.h"

#include <cerrno>
#include <set>

#include "data/error.h"
#include "data/fingerprint.h"
#include "data/io/atomic_file.h"
#include "data/io/byte_stream.h"
#include "data/io/folders.h"
#include "models/module_access.h"
#include "training/small_file.h"
#include "training/small_model.h"
#include "training/tensor_file.h"

namespace semblance {
namespace {

namespace fs = std::filesystem;

constexpr int kFormatVersion = 2;  // from 2 on a classifier's labels are a file of their own
constexpr const char* kFormat = "semblance checkpoint";
constexpr const char* kManifest = "manifest.json";
constexpr const char* kModel = "model.safetensors";
constexpr const char* kOptimizer = "optimizer.safetensors";
constexpr const char *kTrainingState = "training state", *kWeights = "weights";  // values of "content"

std::string checksum_of_text(const std::string& text) {
  Fingerprint fingerprint;
  fingerprint.add(text);
  return fingerprint.digest();
}

Json describe(const TensorInfo& tensor) {
  return {{"name", tensor.name}, {"shape", tensor.shape}, {"type", c10::toString(tensor.type)}};
}

Json describe(const NamedTensors& tensors) {
  Json list = Json::array();
  for (const auto& [name, tensor] : tensors)
    list.push_back(describe(TensorInfo{name, tensor.scalar_type(), tensor.sizes().vec()}));
  return list;
}

// Of the manifest, and of each of the task's files.
constexpr uint64_t kMostTextBytes = uint64_t{2} << 30;

[[noreturn]] void damaged(const fs::path& folder, const std::string& what) {
  throw DamagedCheckpoint(
      fmt::format("{}: {}; the checkpoint is damaged, use another", folder.string(), what));
}

// Calls `read`. What does not hold together is damage, and so is a disk that fails; that a file cannot be
// opened says nothing of what is in it.
template <class Read>
auto reading(const fs::path& folder, Read&& read) {
  try {
    return read();
  } catch (const ReadError& error) {
    if (error.reason() == EIO) damaged(folder, error.what());
    throw Error(ErrorKind::Model, error.what());
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::Model) throw;
    damaged(folder, error.what());
  }
}

uint64_t size_of(const fs::path& path) {
  std::error_code error;
  const auto size = fs::file_size(path, error);
  if (error) throw ReadError(path.string(), "looked at", error.value());
  return size;
}

// The parsed manifest, which is as it was written and of a version that is known.
Json read_manifest(const fs::path& folder) {
  if (kind_of(folder) != PathKind::Folder)
    throw Error(ErrorKind::Model,
                "{}: expected a checkpoint, found nothing; name a run folder or a step-… folder in it",
                folder.string());
  if (!is_file(folder / kManifest)) damaged(folder, fmt::format("expected {}, found none", kManifest));
  Json manifest = parse_json(read_file((folder / kManifest).string(), kMostTextBytes), kManifest);
  if (text_in(manifest, "format") != kFormat)
    damaged(folder, fmt::format("{} is not a checkpoint's", kManifest));
  const auto own_checksum = text_in(manifest, "manifest_xxh3");
  manifest.erase("manifest_xxh3");
  if (checksum_of_text(json_line(manifest)) != own_checksum)
    damaged(folder, fmt::format("{} does not match its checksum", kManifest));
  const auto version = whole_number_in(manifest, "version", 1, INT32_MAX);
  if (version > kFormatVersion)
    throw Error(ErrorKind::Model, "{}: expected format version {} or less, found {}; use a newer semblance",
                folder.string(), kFormatVersion, version);
  return manifest;
}

// Throws Error(Data) naming a value of the manifest that is not as it should be.
void check_values(const Json& manifest) {
  text_in(manifest, "task");
  const auto& content = text_in(manifest, "content");
  if (content != kTrainingState && content != kWeights)
    throw Error(ErrorKind::Data, "content: expected {} or {}, found {}", kTrainingState, kWeights, content);
  for (const char* key : {"config", "model"})
    if (!manifest.contains(key) || !manifest[key].is_null()) object_in(manifest, key);
  for (const char* key : {"tensors", "optimizer_tensors", "files"}) list_in(manifest, key);
  training_state_from_json(object_in(manifest, "training"));
  std::set<std::string> names;
  for (const auto& file : manifest["files"]) {
    const auto& name = text_in(file, "name");
    if (fs::path(name).filename() != name || name == kManifest || !names.insert(name).second)
      throw Error(ErrorKind::Data, "files: expected different names in the folder, found {}", name);
    whole_number_in(file, "size", 0, INT64_MAX);
    text_in(file, "xxh3");
  }
  for (const char* name : {kModel, content == kTrainingState ? kOptimizer : kModel})
    if (!names.contains(name)) throw Error(ErrorKind::Data, "files: expected {}, found none", name);
}

// The file must hold the tensors that the manifest lists.
void check_tensors(const fs::path& folder, const char* file, const Json& expected) {
  Json found = Json::array();
  for (const auto& tensor : list_tensors(folder / file)) found.push_back(describe(tensor));
  if (found != expected)
    damaged(folder, fmt::format("{} does not hold the tensors that {} lists", file, kManifest));
}

NamedTensors read_finite(const fs::path& folder, const char* file) {
  auto tensors = read_tensors(folder / file);
  if (const auto name = find_not_finite(tensors); !name.empty())
    damaged(folder, fmt::format("{}: expected finite numbers, found others in {}", file, name));
  return tensors;
}

}  // namespace

namespace {

// All of a checkpoint's files, the manifest last.
void write_files(const fs::path& folder, const Checkpoint& checkpoint) {
  std::vector<std::string> names;
  for (const auto& [name, content] : checkpoint.files) {
    FileWriter writer(folder / name);
    writer.write(content);
    writer.finish();
    names.push_back(name);
  }
  write_tensors(folder / kModel, checkpoint.model);
  names.emplace_back(kModel);
  if (checkpoint.has_training_state) {
    write_tensors(folder / kOptimizer, checkpoint.optimizer);
    names.emplace_back(kOptimizer);
  }
  Json manifest = {{"format", kFormat},
                   {"version", kFormatVersion},
                   {"task", checkpoint.task},
                   {"content", checkpoint.has_training_state ? kTrainingState : kWeights},
                   {"config", checkpoint.config},
                   {"model", checkpoint.model_info},
                   {"tensors", describe(checkpoint.model)},
                   {"optimizer_tensors", describe(checkpoint.optimizer)},
                   {"training", training_state_to_json(checkpoint.training)},
                   {"files", Json::array()}};
  for (const auto& name : names)
    manifest["files"].push_back({{"name", name},
                                 {"size", size_of(folder / name)},
                                 {"xxh3", fingerprint_of_file((folder / name).string())}});
  manifest["manifest_xxh3"] = checksum_of_text(json_line(manifest));
  FileWriter writer(folder / kManifest);
  writer.write(manifest.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
  writer.finish();
  flush_folder(folder);
}

// Gives what is written its name; what has that name goes.
void rename_into_place(const fs::path& temporary, const fs::path& folder) {
  if (is_folder(folder)) {
    auto replaced = folder;
    replaced += kDoomedEnd;
    remove_path(replaced);
    rename_path(folder, replaced);
    rename_path(temporary, folder);
    remove_path(replaced);
  } else {
    rename_path(temporary, folder);
  }
  flush_folder(folder.parent_path());
}

}  // namespace

void write_checkpoint(const fs::path& folder, const Checkpoint& checkpoint) {
  auto temporary = folder;
  temporary += kUnfinishedEnd;
  if (is_folder(temporary)) remove_path(temporary);
  make_folder(temporary);
  try {
    write_files(temporary, checkpoint);
    rename_into_place(temporary, folder);
  } catch (const std::exception& failure) {
    try {
      remove_path(temporary);
    } catch (const Error&) {  // the first failure counts; the next start removes what is left
    }
    if (dynamic_cast<const ReadError*>(&failure)) throw Error(ErrorKind::Model, failure.what());
    throw;
  }
}

Json verify_checkpoint(const fs::path& folder) {
  if (is_small_model(folder)) return small_model_manifest(folder);
  return reading(folder, [&] {
    Json manifest = read_manifest(folder);
    try {
      check_values(manifest);
    } catch (const Error& error) {
      damaged(folder, fmt::format("{}: {}", kManifest, error.what()));
    }
    for (const auto& file : manifest["files"]) {
      const auto& name = text_in(file, "name");
      if (!is_file(folder / name)) damaged(folder, fmt::format("expected {}, found none", name));
      const auto size = size_of(folder / name), expected = file["size"].get<uint64_t>();
      if (size != expected)
        damaged(folder, fmt::format("expected {} of {} bytes, found {}", name, expected, size));
      if (fingerprint_of_file((folder / name).string()) != text_in(file, "xxh3"))
        damaged(folder, fmt::format("{} does not match its checksum", name));
    }
    check_tensors(folder, kModel, manifest["tensors"]);
    if (manifest["content"] == kTrainingState)
      check_tensors(folder, kOptimizer, manifest["optimizer_tensors"]);
    return manifest;
  });
}

std::string best_known_to(const fs::path& folder) {
  return reading(folder, [&] {
    const auto state = training_state_from_json(object_in(read_manifest(folder), "training"));
    const auto own = state.callbacks.find(kCheckpointsKey);
    return own == state.callbacks.end() ? std::string() : text_in(*own, "best");
  });
}

Checkpoint read_checkpoint(const fs::path& folder, CheckpointPart part) {
  if (part == CheckpointPart::ModelOnly && is_small_model(folder)) return read_small_model(folder);
  const Json manifest = verify_checkpoint(folder);
  return reading(folder, [&] {
    Checkpoint checkpoint;
    checkpoint.identity = std::stoull(checksum_of_text(json_line(manifest)).substr(0, 16), nullptr, 16);
    checkpoint.task = manifest["task"].get<std::string>();
    checkpoint.config = manifest["config"];
    checkpoint.model_info = manifest["model"];
    checkpoint.training = training_state_from_json(manifest["training"]);
    checkpoint.has_training_state = manifest["content"] == kTrainingState;
    if (part == CheckpointPart::TrainingState && !checkpoint.has_training_state)
      throw Error(ErrorKind::Model, "{}: expected training state, found weights only; it cannot be resumed",
                  folder.string());
    checkpoint.model = read_finite(folder, kModel);
    for (const auto& file : manifest["files"]) {
      const auto& name = text_in(file, "name");
      if (name != kModel && name != kOptimizer)
        checkpoint.files[name] = read_file((folder / name).string(), kMostTextBytes);
    }
    if (part == CheckpointPart::TrainingState) checkpoint.optimizer = read_finite(folder, kOptimizer);
    return checkpoint;
  });
}

void load_weights(torch::nn::Module& module, const Checkpoint& checkpoint, const std::string& source) {
  const auto wanted = model_tensors(module);
  copy_tensors(unpack_tables(checkpoint.model, wanted), wanted, source);
}

}  // namespace semblance
