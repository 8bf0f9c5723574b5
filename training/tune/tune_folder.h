// What a tuning keeps beside its winner's run: tune.json, from which a killed one goes on; trials.tsv; and,
// until it ends, trials/, a run folder for each trial that may still win (docs/formats.md).
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "data/config.h"
#include "training/tune/halving.h"

namespace semblance {

/// What is asked for.
struct TunePlan {
  /// Complete, as job.toml has it. Once the first trial has chosen those defaults that follow from its data,
  /// with these.
  Json job;
  Json given;                      ///< what was given of it, over whatever defaults
  std::vector<std::string> fixed;  ///< "section.field" of what is not searched
  std::optional<double> seconds;   ///< either, or both
  std::optional<int64_t> trials;
  int64_t processes = 0;  ///< at once; 0: as many as there are CPUs for
};

/// All that a tuning has come to: with the plan, it tells what comes next.
struct TuneState {
  TunePlan plan;
  std::string metric;                                   ///< what trials are compared by, once one has told
  double spent = 0;                                     ///< seconds
  std::vector<int64_t> brackets;                        ///< sizes of those that were begun
  std::vector<std::pair<size_t, TrialResult>> results;  ///< trials and what they reported, in order
  std::optional<size_t> winner;                         ///< once all is done
};

class TuneFolder {
 public:
  explicit TuneFolder(std::filesystem::path path) : path_(std::move(path)) {}

  const std::filesystem::path& path() const { return path_; }
  /// Whether a tuning was begun here that has not ended.
  bool is_unfinished() const;
  /// Throws Error(Usage) where a run or a tuning is and `overwrite` is not set, or anything else is.
  void check_free(bool overwrite) const;
  /// Removes what a tuning keeps beside the run that may be here.
  void clear() const;

  void save(const TuneState& state, const std::string& table) const;
  /// Throws Error(Model) where the file is damaged.
  TuneState load() const;

  /// Where trials 0, 1, … are trained, and what they answer and tell.
  std::filesystem::path trial(size_t number) const;
  std::filesystem::path answer(size_t number) const;
  std::filesystem::path log(size_t number) const;
  /// The folder of those, and nothing left of what a killed process was writing beside it.
  void make_trials() const;
  void remove_trials_but(size_t kept) const;
  /// Makes the winner's run the folder's and removes all others. May be called again.
  void install(size_t winner) const;

 private:
  std::filesystem::path trials() const { return path_ / "trials"; }
  std::filesystem::path state_file() const { return path_ / "tune.json"; }
  std::filesystem::path table_file() const { return path_ / "trials.tsv"; }

  std::filesystem::path path_;
};

}  // namespace semblance
