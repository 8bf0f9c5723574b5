// Classifiers without those n-grams that change their answers least.
#pragma once

#include <cstdint>

#include "training/checkpoint.h"
#include "training/tasks/sentiment/job.h"

namespace semblance {

class SentimentTask;

/// `checkpoint`, of which `task` was made. Those `kept` n-grams keep a row of their own that add most to the
/// logits of a text: the length of what their rows add to them or, where hidden layers stand between, of the
/// rows. The others share one, the mean of theirs, so that a text's mean is still over all of its n-grams.
Checkpoint prune_ngrams(const Checkpoint& checkpoint, SentimentTask& task, const SentimentJob& job,
                        int64_t kept);

}  // namespace semblance
