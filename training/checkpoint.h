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
  Json training;          ///< position, history, states of callbacks
  uint64_t identity = 0;  ///< of one that was read: a number for all that it holds
};

/// What is added to the name of a checkpoint's folder that is being written, and of one that is to go.
inline constexpr const char *kUnfinishedEnd = ".tmp", *kDoomedEnd = ".old.tmp";

/// Writes `folder` under a temporary name, flushes it and renames it. A folder of that name is replaced.
/// Throws Error(Model), with nothing left behind; a file of either name is left alone.
void write_checkpoint(const std::filesystem::path& folder, const Checkpoint& checkpoint);

/// A checkpoint's manifest after every file's size and checksum have been verified. Throws Error(Model) that
/// names what is missing or damaged.
Json verify_checkpoint(const std::filesystem::path& folder);

enum class CheckpointPart { ModelOnly, TrainingState };

/// Verifies, then reads. Throws Error(Model), also where training state is wanted and the checkpoint has
/// none.
Checkpoint read_checkpoint(const std::filesystem::path& folder, CheckpointPart part);

/// Copies the checkpoint's weights into `module`. Throws Error(Model) naming `source` if they do not fit.
void load_weights(torch::nn::Module& module, const Checkpoint& checkpoint, const std::string& source);

}  // namespace semblance
