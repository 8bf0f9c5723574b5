// Classifiers without those n-grams that change their answers least.
#pragma once

#include <cstdint>
#include <span>

#include "training/checkpoint.h"
#include "training/tasks/sentiment/job.h"

namespace semblance {

class SentimentTask;

/// `checkpoint`, of which `task` was made. Those `kept` n-grams keep a row of their own by whose loss the
/// logits of texts would change most: the square of what a row adds to them or, where hidden layers stand
/// between, of the row itself, times how often it occurs, `counts`, a number for each row of n-grams. The
/// others share one, their mean by counts, so that a text's mean is still over all of its n-grams.
Checkpoint prune_ngrams(const Checkpoint& checkpoint, SentimentTask& task, const SentimentJob& job,
                        std::span<const float> counts, int64_t kept);

}  // namespace semblance
