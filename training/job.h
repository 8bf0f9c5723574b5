// What a training is told: option structs, each a section of job.toml. One type a task.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "data/config.h"
#include "training/trainer_options.h"

namespace semblance {

struct Job : Sections {
  virtual std::string_view task() const = 0;
  /// Sets the defaults that depend on other options. To be called when those are set; whatever else was given
  /// is then to be set again.
  virtual void choose_defaults() {}

  /// Whether something is measured after each epoch.
  virtual bool has_validation() const { return true; }

  TrainerOptions training;
};

/// The files that the training reads: options' names and what they name, in order.
std::vector<std::pair<std::string, std::string>> inputs_of(const Job& job);
/// The first of them that is given by a relative path and is not there, seen from `folder`.
std::optional<std::pair<std::string, std::string>> missing_input(const Job& job,
                                                                 const std::filesystem::path& folder);
/// A job names its inputs as they were given, so that they may lead from the folder where the training began:
/// the first of `run` and the folders around it, absolute, from which none is missing.
std::optional<std::filesystem::path> folder_of_inputs(const Job& job, const std::filesystem::path& run);

/// The form kept in job.toml and in a checkpoint's manifest.
Json job_to_json(const Job& job);
/// Sets the fields that `json` names. Throws Error(Usage) for an unknown section or key.
void job_from_json(Job& job, const Json& json);
/// The same for what a run stored: a field that is younger than the run has the value that it had by then.
void stored_job_from_json(Job& job, const Json& json);

}  // namespace semblance
