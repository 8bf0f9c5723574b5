// Measures of a classifier (row 2.9), collected batch by batch.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "models/losses.h"
#include "training/metrics.h"

namespace semblance {

/// Area under the ROC curve: the chance that a positive example scores above a negative one, ties counting
/// half (Mann-Whitney). NaN if either kind is missing or a score is NaN.
double roc_auc(const std::vector<float>& scores, const std::vector<uint8_t>& positive);

/// Precision, recall and F1 are 0 where they would divide by zero, as scikit-learn has it by default.
class ClassificationMetrics {
 public:
  /// `classes` names the classes in the order of the logits; two names and one logit: the logit is the
  /// second's. `sets`: multi-label, a label being predicted where its probability is at
  /// least 1/2.
  ClassificationMetrics(std::vector<std::string> classes, bool sets)
      : classes_(std::move(classes)), sets_(sets) {
    const size_t n = classes_.size();
    if (sets_)
      hits_.resize(n), predicted_.resize(n), actual_.resize(n);
    else
      confusion_.assign(n * n, 0);
  }

  /// logits, targets: as classification_loss takes them, which gave `loss`.
  void add(const at::Tensor& logits, const at::Tensor& targets, const LossSum& loss);

  Metrics result() const;

 private:
  std::vector<std::string> classes_;
  bool sets_;
  int64_t examples_ = 0, exact_ = 0;
  double loss_total_ = 0, loss_weight_ = 0;
  std::vector<int64_t> confusion_;                  // [actual][predicted]
  std::vector<int64_t> hits_, predicted_, actual_;  // per class, for sets
  std::vector<float> scores_;                       // of the second of two classes
  std::vector<uint8_t> positive_;
};

}  // namespace semblance
