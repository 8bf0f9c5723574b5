// The command line of a verb that trains: VERB TASK [options], or VERB --config JOB.toml [options].
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "apps/command_line.h"
#include "apps/verbs.h"
#include "training/job.h"
#include "training/tasks/registry.h"

namespace semblance {

struct TrainingVerb {
  std::string_view name, options, description;
  /// Adds the verb's own options, which come first.
  std::function<void(CommandLine& line, const TaskKind& kind)> add_options;
};

/// A job, and the command line that told of it.
struct JobLine {
  const TaskKind* kind;
  CommandLine line;
  Json config;  ///< of --config; null without it
  std::unique_ptr<Job> job;

  /// Whether a field's value was given, on the command line or in the job file.
  bool gives(std::string_view section, std::string_view field) const;
  /// Sets again what was given.
  void give(Job& onto) const;
  RunMode mode() const { return line.given("overwrite") ? RunMode::Overwrite : RunMode::Fresh; }
};

/// Prints help and returns none if that was asked for. Throws Error(Usage).
std::optional<JobLine> read_job_line(Arguments arguments, const TrainingVerb& verb);

/// A count of epochs that an option gives, if it does.
std::optional<int64_t> epochs_given(const CommandLine& line, std::string_view option);

}  // namespace semblance
