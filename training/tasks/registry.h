// The kinds of models that the program trains and serves. The verbs go through this list; a new task adds one
// line to registry.cpp.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "training/job.h"
#include "training/run_training.h"
#include "training/serving/served_model.h"

namespace semblance {

struct TaskKind {
  std::string_view name;   ///< on the command line and in checkpoints
  std::string_view input;  ///< the option without which nothing can be trained
  std::unique_ptr<Job> (*make_job)();
  Json (*train)(const Job& job, RunRequest& request);
  /// Throws Error(Model) if the checkpoint, which is of this kind, does not fit together.
  std::unique_ptr<ServedModel> (*open)(const Checkpoint& checkpoint, const std::string& source,
                                       c10::Device device);
  /// The options of its evaluation, with their defaults; null where it cannot be evaluated.
  std::unique_ptr<Sections> (*make_evaluation)();
  /// Which of the interfaces its models have: Classifier, TextEncoder, WordEncoder, WordTableModel,
  /// Tokenizes.
  bool predicts, encodes_texts, encodes_words, has_word_vectors, tokenizes;
};

std::span<const TaskKind> task_kinds();
/// "a, b, c"
std::string task_names();
/// Throws Error(Usage) for an unknown name.
const TaskKind& find_task(std::string_view name);

/// A model, and where it comes from.
struct OpenedModel {
  CheckpointLocation location;
  Checkpoint checkpoint;
  std::unique_ptr<ServedModel> model;

  const std::string& task() const { return checkpoint.task; }
};

/// The checkpoint alone, as open_model finds it; no location of a folder of sentence-transformers, which is
/// made into one.
std::pair<CheckpointLocation, Checkpoint> find_checkpoint(const std::string& run, const std::string& choice,
                                                          const Notice& notice);

/// The model of a run, or of a checkpoint, that locate_checkpoint finds by `run` and `choice`; `can` picks
/// the kinds of models that will do, which are those that `verb`; `notice` is told of a checkpoint that had
/// to be guessed. Throws Error(Model).
OpenedModel open_model(const std::string& run, const std::string& choice, c10::Device device,
                       std::string_view verb, const Notice& notice,
                       const std::function<bool(const TaskKind&)>& can);

}  // namespace semblance
