// Which trials there are and how far each is trained: successive halving (Jamieson and Talwalkar 2016) in
// brackets, each of which begins with trials near the best one so far. No clock and no process: what happens
// follows from the seed, the brackets' sizes and what is reported, in whatever order within a rung.
#pragma once

#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "training/tune/search_space.h"

namespace semblance {

/// Of a trial, as far as it has come.
struct TrialResult {
  int64_t epochs = 0;                                       ///< done
  double value = std::numeric_limits<double>::quiet_NaN();  ///< best of its epochs; NaN: none was validated
  double loss = std::numeric_limits<double>::quiet_NaN();   ///< of that epoch's validation, where it has one
  int64_t examples = 0;                                     ///< that it was validated on
  bool higher_is_better = true;
  std::string status;  ///< "completed" and the like where it ended; "diverged" and "failed" are the worst
  double seconds = 0;  ///< that all of it took

  bool failed() const { return status == "diverged" || status == "failed"; }
};

/// By value, then by loss. What failed, or was not validated, is worse than what was.
bool is_better(const TrialResult& a, const TrialResult& b);

struct Trial {
  SearchSpace::Values values;
  int64_t epochs = 0;  ///< that its job has
  TrialResult result = {};
};

/// Train trial `trial` on, or from the start, until so many of its epochs are done.
struct TrialStep {
  size_t trial = 0;
  int64_t stop_after = 0;
};

class Halving {
 public:
  /// `epochs_of` tells the epochs of a job with such values.
  Halving(const SearchSpace& space, std::function<int64_t(const SearchSpace::Values&)> epochs_of,
          uint64_t seed);

  /// How many of a bracket's trials go on from rung to rung, and how many of the epochs they are given
  /// before: one of so many.
  static constexpr int64_t kKept = 3;
  /// The share of all epochs that a bracket of so many trials takes, the first rung's alone, as if `at_once`
  /// were trained side by side and the time of a whole training were 1.
  double duration(int64_t trials, int64_t at_once) const;

  /// Whether nothing is under way.
  bool idle() const { return waiting_.empty() && under_way_.empty(); }
  /// Where it is idle. The very first is of one trial, which has the values of the space's base.
  void begin_bracket(int64_t trials);
  /// What can be trained now, if anything can.
  std::optional<TrialStep> next();
  /// A result of the present rung.
  void report(size_t trial, const TrialResult& result);
  /// What else is known of a trial, where all ends before its rung does.
  void amend(size_t trial, const TrialResult& result) { trials_[trial].result = result; }

  const std::vector<Trial>& trials() const { return trials_; }
  /// Trials of the present rung that are to be trained or are being trained.
  size_t to_train() const { return waiting_.size() + under_way_.size(); }
  /// Those that can still win: the first, and of the others those that no other equals in value and in loss.
  std::vector<size_t> front() const;
  /// A standard error of the best value is chance on a validation set: within it the first wins, which many
  /// sets have spoken for, else the trial with the lowest loss. The first where nothing was validated.
  size_t winner() const;

 private:
  int64_t rungs(int64_t trials) const;
  int64_t stop_after(size_t trial) const;
  SearchSpace::Values propose(bool first);
  void begin_rung();

  const SearchSpace& space_;
  std::function<int64_t(const SearchSpace::Values&)> epochs_of_;
  uint64_t seed_;
  std::vector<Trial> trials_;
  std::vector<size_t> rung_;                 // trials of the present one
  std::vector<size_t> waiting_, under_way_;  // those of them without a result
  int64_t rungs_left_ = 0;                   // after the present one
};

}  // namespace semblance
