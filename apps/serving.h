// What the verbs that use a trained model have in common.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

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

/// The entry for the checkpoint's task, of those that have one. Throws Error(Model).
template <class Entry, size_t N>
const Entry& find_task_entry(const Entry (&entries)[N], const ServedCheckpoint& served,
                             std::string_view verb) {
  std::string names;
  for (const Entry& entry : entries) {
    if (served.checkpoint.task == entry.task) return entry;
    (names += names.empty() ? "" : " or ") += entry.task;
  }
  throw Error(ErrorKind::Model, "{}: expected a model that {} ({}), found one of {}",
              served.location.path().string(), verb, names, served.checkpoint.task);
}

/// Adds --oov under `heading`.
void add_oov_option(CommandLine& line, std::string_view heading);
/// The trigram run that --oov names, its vectors `dim` numbers long; null if it names none.
std::unique_ptr<WordEncoder> open_oov(const CommandLine& line, int64_t dim);

/// Calls visit(text, may_wait) for each line of `path` that is not blank, as well-formed UTF-8; `may_wait`:
/// the next one may be long in coming. Warns of what was repaired.
void for_each_line(const std::string& path,
                   const std::function<void(std::string_view text, bool may_wait)>& visit);

std::string device_choice(const CommandLine& line);

}  // namespace semblance
