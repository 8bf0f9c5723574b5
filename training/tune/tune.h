// The best job within a budget: trials in processes of their own, halved as training/tune/halving.h says.
#pragma once

#include <chrono>
#include <cstdint>

#include "data/notice.h"
#include "training/tune/tune_folder.h"

namespace semblance {

/// How many trials a bracket is to have that is to end within `seconds`; 0: not even one can. `per_trial`:
/// the seconds of a whole one.
int64_t bracket_size(const Halving& halving, double seconds, double per_trial, int64_t processes);

/// Tunes, anew or from where the folder's state stands, and makes the winner's run the folder's. Returns the
/// report: task, run, stopped (completed, budget, interrupted), metric, the winner's number as `trial` and
/// its measures, and `trials`, the best first. `begun`: when the budget began to run.
///
/// A new one locks the folder after check_free. Throws Error for wrong input, with nothing left behind, and
/// whatever else the first trial meets but divergence.
Json tune(const TuneFolder& folder, const TunePlan& plan, const Notice& notice,
          std::chrono::steady_clock::time_point begun);
Json resume_tuning(const TuneFolder& folder, const Notice& notice,
                   std::chrono::steady_clock::time_point begun);

}  // namespace semblance
