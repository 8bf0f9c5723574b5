// What the verbs that use a trained model have in common.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "apps/serving_options.h"
#include "data/vectors/word_vectors.h"
#include "training/run_folder.h"
#include "training/serving/word_encoder.h"
#include "training/tasks/registry.h"

namespace semblance {

struct TopOptions {
  int64_t top = 10;

  void fields(FieldList& list) { list.add("top", top, {.help = "how many to print", .min = 1, .max = 1e6}); }
};

/// Applies --threads and opens the model that `run` and --checkpoint mean; `can` picks the kinds of models
/// that will do, which are those that `verb`. Throws Error(Model).
OpenedModel open_served(const CommandLine& line, const std::string& run, std::string_view verb,
                        const std::function<bool(const TaskKind&)>& can);

/// Adds the options of every kind's evaluation.
void add_evaluation_options(CommandLine& line);
/// Applies them to the model's, if it has any. Throws Error(Usage) for those of another kind of model, and
/// for any at all unless `allowed`.
void apply_evaluation_options(const CommandLine& line, OpenedModel& opened, bool allowed = true);

/// What --output names. Throws Error(Usage) where it is missing, and where --json would go the same way.
std::string output_file(const CommandLine& line);

/// Adds --oov under `heading`.
void add_oov_option(CommandLine& line, std::string_view heading);
/// What --oov names, of the vectors' dimensions, or the n-grams of a fastText model that the vectors come
/// from; else null.
std::shared_ptr<WordEncoder> open_oov(const CommandLine& line, const WordVectors& vectors);

/// Calls visit(text, may_wait) for each line of `path`, as well-formed UTF-8; `may_wait`: the next one may be
/// long in coming. Warns of what was repaired.
void for_each_line(const std::string& path,
                   const std::function<void(std::string_view text, bool may_wait)>& visit);

}  // namespace semblance
