// Checkpoints: versioned folders with a manifest, written whole or not at all, verified before use (row 8.3).
// checkpoints/README.md describes the format. The functions may run in several threads at once, those on one
// folder only where none of them writes it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "data/config.h"
#include "models/named_tensors.h"
#include "training/damaged.h"
#include "training/training_state.h"

namespace torch::nn {
class Module;
}

namespace semblance {

/// All that a checkpoint holds. The tensors may be live ones of a model: they are copied when written.
struct Checkpoint {
  std::string task;
  Json config;                               ///< the job that trains it
  Json model_info;                           ///< what the task needs besides tensors: labels, stop words, …
  std::map<std::string, std::string> files;  ///< the task's text files, such as vocabulary.txt, by name
  NamedTensors model;
  bool has_training_state = false;  ///< false: weights only
  NamedTensors optimizer;
  TrainingState training;
  uint64_t identity = 0;  ///< of one that was read: a number for all that it holds
};

/// What is added to the name of a checkpoint's folder that is being written, of one that is to go, and of one
/// that is set aside since it is damaged.
inline constexpr const char *kUnfinishedEnd = ".tmp", *kDoomedEnd = ".old.tmp", *kDamagedEnd = ".damaged";

/// The key of the state that knows which checkpoints were written, among those of the callbacks.
inline constexpr const char* kCheckpointsKey = "checkpoints";

/// Writes `folder` under a temporary name, flushes it and renames it. A folder of that name is replaced.
/// Throws Error(Model), with nothing left behind; a file of either name is left alone.
void write_checkpoint(const std::filesystem::path& folder, const Checkpoint& checkpoint);

/// Of a checkpoint's folder, or of a small model (training/small_model.h):
///
/// The manifest after all of it has been verified: the type and the range of each of its values,
/// every file's size and checksum, every tensor's name, shape and type. Throws Error(Model) that names what
/// is missing or damaged.
Json verify_checkpoint(const std::filesystem::path& folder);

/// The name of the checkpoint that was the best of its run when this one was written, empty if none was: from
/// the manifest alone, whose checksum is verified and nothing else.
std::string best_known_to(const std::filesystem::path& folder);

enum class CheckpointPart { ModelOnly, TrainingState };

/// Verifies, then reads. Throws Error(Model), also where a tensor holds numbers that are not finite, and
/// where training state is wanted and the checkpoint has none.
Checkpoint read_checkpoint(const std::filesystem::path& folder, CheckpointPart part);

/// Copies the checkpoint's weights into `module`, packed tables as floats unless it has them packed. Throws
/// Error(Model) naming `source` if they do not fit.
void load_weights(torch::nn::Module& module, const Checkpoint& checkpoint, const std::string& source);

}  // namespace semblance
