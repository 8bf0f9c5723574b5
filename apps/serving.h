// What the verbs that use a trained model have in common.
#pragma once

#include <memory>

#include "apps/command_line.h"
#include "training/run_folder.h"
#include "training/word_encoder.h"

namespace semblance {

/// Adds --checkpoint, --device, --threads and --json.
void add_serving_options(CommandLine& line);

struct ServedCheckpoint {
  CheckpointLocation location;
  Checkpoint checkpoint;
};

/// Applies --threads and reads the weights that `run` and --checkpoint mean.
ServedCheckpoint open_checkpoint(const CommandLine& line, const std::string& run);

/// Adds --oov under `heading`.
void add_oov_option(CommandLine& line, std::string_view heading);
/// The trigram run that --oov names, its vectors `dim` numbers long; null if it names none.
std::unique_ptr<WordEncoder> open_oov(const CommandLine& line, int64_t dim);

std::string device_choice(const CommandLine& line);

}  // namespace semblance
