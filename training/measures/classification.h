// Measures of a classifier (row 2.9), collected batch by batch.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <string>
#include <vector>

#include "models/losses.h"
#include "training/measures/scores.h"
#include "training/metrics.h"

namespace semblance {

/// Of more classes there is no confusion matrix, which would outgrow the model.
inline constexpr size_t kMostConfused = 1000;

/// Precision, recall and F1 are 0 where they would divide by zero, as scikit-learn has it by default.
class ClassificationMetrics {
 public:
  /// `classes` names the classes in the order of the logits; two names and one logit: the logit is the
  /// second's. `sets`: multi-label, a label being predicted where its probability is at
  /// least 1/2.
  ClassificationMetrics(std::vector<std::string> classes, bool sets,
                        const std::optional<ScoreOptions>& scores = {})
      : classes_(std::move(classes)), sets_(sets) {
    const size_t n = classes_.size();
    hits_.resize(n), predicted_.resize(n), actual_.resize(n);
    if (!sets_ && n <= kMostConfused) confusion_.assign(n * n, 0);
    if (scores) scores_.emplace(static_cast<int64_t>(n), sets, *scores);
  }

  /// Whether it collects what scores tell too, which takes time and memory.
  bool measures_scores() const { return scores_.has_value(); }
  /// logits, targets: as classification_loss takes them, which gave `loss`; probabilities: as ScoreMetrics
  /// takes them, where it measures scores.
  void add(const at::Tensor& logits, const at::Tensor& targets, const LossSum& loss,
           const at::Tensor& probabilities = {});

  Metrics result() const;

 private:
  std::vector<std::string> classes_;
  bool sets_;
  int64_t examples_ = 0, exact_ = 0;
  double loss_total_ = 0, loss_weight_ = 0;
  std::vector<int64_t> confusion_;                  // [actual][predicted]; none of sets and of many classes
  std::vector<int64_t> hits_, predicted_, actual_;  // per class
  std::vector<float> second_;                       // logits of the second of two classes
  std::vector<uint8_t> positive_;
  std::optional<ScoreMetrics> scores_;
};

}  // namespace semblance
