// Which loss fits the labels, and what weight each class has in it (row 2.2).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/losses.h"
#include "training/tasks/sentiment/job.h"
#include "training/tasks/sentiment/labels.h"

namespace semblance {

/// Throws Error(Usage) for a choice that does not fit the labels.
ClassificationLoss choose_loss(LossChoice choice, const LabelSet& labels);

/// --class-weights for classes of these counts; none: no weights. Throws Error(Usage).
std::vector<double> choose_class_weights(const std::string& choice, const std::vector<int64_t>& counts,
                                         bool multi_label);

}  // namespace semblance
