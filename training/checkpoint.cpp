#include "training/checkpoint.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <set>

#include "data/error.h"
#include "data/io/atomic_file.h"
#include "data/io/byte_stream.h"
#include "models/module_access.h"
#include "training/tensor_file.h"

namespace semblance {
namespace {

namespace fs = std::filesystem;

constexpr int kFormatVersion = 1;
constexpr const char* kFormat = "semblance checkpoint";
constexpr const char* kManifest = "manifest.json";
constexpr const char* kModel = "model.safetensors";
constexpr const char* kOptimizer = "optimizer.safetensors";

std::string checksum(const fs::path& path) {
  ByteStream stream(path.string(), Compression::None);
  XXH3_state_t state;
  XXH3_128bits_reset(&state);
  std::vector<char> buffer(1 << 20);
  while (const size_t n = stream.read(buffer)) XXH3_128bits_update(&state, buffer.data(), n);
  const auto hash = XXH3_128bits_digest(&state);
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

std::string checksum_of_text(const std::string& text) {
  const auto hash = XXH3_128bits(text.data(), text.size());
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

Json describe(const NamedTensors& tensors) {
  Json list = Json::array();
  for (const auto& [name, tensor] : tensors)
    list.push_back(
        {{"name", name}, {"shape", tensor.sizes().vec()}, {"type", c10::toString(tensor.scalar_type())}});
  return list;
}

std::string read_text(const fs::path& path) {
  ByteStream stream(path.string(), Compression::None);
  std::string text;
  std::vector<char> buffer(1 << 16);
  while (const size_t n = stream.read(buffer)) text.append(buffer.data(), n);
  return text;
}

[[noreturn]] void damaged(const fs::path& folder, const std::string& what) {
  throw Error(ErrorKind::Model, "{}: {}; the checkpoint is damaged, use another", folder.string(), what);
}

// The tensors of a file must be those that the manifest lists.
NamedTensors read_listed(const fs::path& folder, const char* file, const Json& list) {
  auto tensors = read_tensors(folder / file);
  if (describe(tensors) != list)
    damaged(folder, fmt::format("{} does not hold the tensors that {} lists", file, kManifest));
  return tensors;
}

}  // namespace

void write_checkpoint(const fs::path& folder, const Checkpoint& checkpoint) {
  auto temporary = folder;
  temporary += kUnfinishedEnd;
  std::error_code ignored;
  if (fs::is_directory(temporary, ignored)) fs::remove_all(temporary, ignored);
  make_folder(temporary);
  try {
    Json manifest = {{"format", kFormat},
                     {"version", kFormatVersion},
                     {"task", checkpoint.task},
                     {"content", checkpoint.has_training_state ? "training state" : "weights"},
                     {"config", checkpoint.config},
                     {"model", checkpoint.model_info},
                     {"tensors", describe(checkpoint.model)},
                     {"optimizer_tensors", describe(checkpoint.optimizer)},
                     {"training", checkpoint.training}};
    std::vector<std::string> names;
    for (const auto& [name, content] : checkpoint.files) {
      FileWriter writer(temporary / name);
      writer.write(content);
      writer.finish();
      names.push_back(name);
    }
    write_tensors(temporary / kModel, checkpoint.model);
    names.emplace_back(kModel);
    if (checkpoint.has_training_state) {
      write_tensors(temporary / kOptimizer, checkpoint.optimizer);
      names.emplace_back(kOptimizer);
    }
    Json files = Json::array();
    for (const auto& name : names)
      files.push_back(
          {{"name", name}, {"size", fs::file_size(temporary / name)}, {"xxh3", checksum(temporary / name)}});
    manifest["files"] = std::move(files);
    manifest["manifest_xxh3"] = checksum_of_text(manifest.dump());
    FileWriter writer(temporary / kManifest);
    writer.write(manifest.dump(1) + "\n");
    writer.finish();
    flush_folder(temporary);
    if (fs::is_directory(folder)) {  // a damaged one that a resumed training has come by again
      auto replaced = folder;
      replaced += kDoomedEnd;
      fs::remove_all(replaced, ignored);
      rename_path(folder, replaced);
      rename_path(temporary, folder);
      fs::remove_all(replaced, ignored);
    } else {
      rename_path(temporary, folder);
    }
    flush_folder(folder.parent_path());
  } catch (...) {
    fs::remove_all(temporary, ignored);
    throw;
  }
}

Json verify_checkpoint(const fs::path& folder) {
  const auto manifest_path = folder / kManifest;
  std::error_code error;
  if (!fs::is_directory(folder, error))
    throw Error(ErrorKind::Model,
                "{}: expected a checkpoint, found nothing; name a run folder or a step-… folder in it",
                folder.string());
  if (!fs::is_regular_file(manifest_path, error))
    damaged(folder, fmt::format("expected {}, found none", kManifest));
  try {
    Json manifest = Json::parse(read_text(manifest_path));
    if (manifest.at("format") != kFormat) damaged(folder, fmt::format("{} is not a checkpoint's", kManifest));
    if (manifest.at("version").get<int>() > kFormatVersion)
      throw Error(ErrorKind::Model, "{}: expected format version {} or less, found {}; use a newer semblance",
                  folder.string(), kFormatVersion, manifest.at("version").get<int>());
    const auto own_checksum = manifest.at("manifest_xxh3").get<std::string>();
    manifest.erase("manifest_xxh3");
    if (checksum_of_text(manifest.dump()) != own_checksum)
      damaged(folder, fmt::format("{} does not match its checksum", kManifest));
    for (const auto& file : manifest.at("files")) {
      const auto name = file.at("name").get<std::string>();
      const auto path = folder / name;
      if (fs::path(name).filename() != name || !fs::is_regular_file(path, error))
        damaged(folder, fmt::format("expected {}, found none", name));
      if (const auto size = fs::file_size(path); size != file.at("size").get<uint64_t>())
        damaged(folder, fmt::format("expected {} of {} bytes, found {}", name,
                                    file.at("size").get<uint64_t>(), size));
      if (checksum(path) != file.at("xxh3").get<std::string>())
        damaged(folder, fmt::format("{} does not match its checksum", name));
    }
    return manifest;
  } catch (const Json::exception& json_error) {
    damaged(folder, fmt::format("{} is not as expected ({})", kManifest, json_error.what()));
  } catch (const Error& failure) {
    if (failure.kind() == ErrorKind::Model) throw;
    throw Error(ErrorKind::Model, failure.what());
  }
}

Checkpoint read_checkpoint(const fs::path& folder, CheckpointPart part) {
  const Json manifest = verify_checkpoint(folder);
  try {
    Checkpoint checkpoint;
    checkpoint.identity = std::stoull(checksum_of_text(manifest.dump()).substr(0, 16), nullptr, 16);
    checkpoint.task = manifest.at("task").get<std::string>();
    checkpoint.config = manifest.at("config");
    checkpoint.model_info = manifest.at("model");
    checkpoint.training = manifest.at("training");
    checkpoint.has_training_state = manifest.at("content") == "training state";
    checkpoint.model = read_listed(folder, kModel, manifest.at("tensors"));
    for (const auto& file : manifest.at("files")) {
      const auto name = file.at("name").get<std::string>();
      if (name != kModel && name != kOptimizer) checkpoint.files[name] = read_text(folder / name);
    }
    if (part == CheckpointPart::TrainingState) {
      if (!checkpoint.has_training_state)
        throw Error(ErrorKind::Model, "{}: expected training state, found weights only; it cannot be resumed",
                    folder.string());
      checkpoint.optimizer = read_listed(folder, kOptimizer, manifest.at("optimizer_tensors"));
    }
    return checkpoint;
  } catch (const Json::exception& json_error) {
    damaged(folder, fmt::format("{} is not as expected ({})", kManifest, json_error.what()));
  }
}

void load_weights(torch::nn::Module& module, const Checkpoint& checkpoint, const std::string& source) {
  copy_tensors(checkpoint.model, model_tensors(module), source);
}

}  // namespace semblance
