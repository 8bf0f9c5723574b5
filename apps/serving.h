// What the verbs that use a trained model have in common.
#pragma once

#include "apps/command_line.h"
#include "training/run_folder.h"

namespace semblance {

/// Adds --checkpoint, --device, --threads and --json.
void add_serving_options(CommandLine& line);

struct ServedCheckpoint {
  CheckpointLocation location;
  Checkpoint checkpoint;
};

/// Applies --threads and reads the weights that `run` and --checkpoint mean.
ServedCheckpoint open_checkpoint(const CommandLine& line, const std::string& run);

std::string device_choice(const CommandLine& line);

}  // namespace semblance
