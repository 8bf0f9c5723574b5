// A small model of a classifier as it lies in its file, without LibTorch: the first answer is there before
// LibTorch would be loaded.
#pragma once

#include <memory>
#include <string>

#include "training/serving/classifier.h"

namespace semblance {

/// The classifier of a small model; null where LibTorch is needed: other tasks, `linear`, `flat`, padded
/// means, token weights, other activations than ReLU. It answers as SentimentModel does but for the last
/// digits. Throws Error(Model).
std::unique_ptr<Classifier> open_plain_classifier(const std::string& path);

}  // namespace semblance
