// A short training that a default is chosen by.
#pragma once

#include <cstdint>
#include <span>

#include "data/text/tokenized_texts.h"
#include "training/tasks/sentiment/job.h"
#include "training/tasks/sentiment/labels.h"

namespace semblance {

/// The main metric, whatever --metric says, that `job` reaches on a sixth of the given rows, some ten
/// thousands of them at most, after two epochs of the others. Depends on its arguments alone; on the CPU.
double try_job(const SentimentJob& job, const TokenizedTexts& tokens, const RaggedIds& labels,
               std::span<const int64_t> rows, const LabelSet& set);

}  // namespace semblance
