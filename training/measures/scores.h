// What a classifier's scores tell beyond its guesses (row 2.14): rankings of labels, areas under curves, and
// whether probabilities are as often right as they say.
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "data/config.h"

namespace semblance {

/// Area under the ROC curve: the chance that a positive example scores above a negative one, ties counting
/// half (Mann-Whitney). NaN if either kind is missing or a score is NaN.
double roc_auc(const std::vector<float>& scores, const std::vector<uint8_t>& positive);

/// Area under the curve of precision over recall, in steps: scikit-learn's average_precision_score. Equal
/// scores are one step. NaN if there is no positive example or a score is NaN.
double average_precision(const std::vector<float>& scores, const std::vector<uint8_t>& positive);

struct ScoreOptions {
  std::vector<int64_t> k = {1, 5};

  void fields(FieldList& list) {
    list.add("k", k, {.help = "the K of precision and recall at K", .min = 1, .hint = "K,K,…"});
  }
};

/// Collected batch by batch. Areas under curves need every score: past kMostScores of them they are left out.
class ScoreMetrics {
 public:
  static constexpr int64_t kMostScores = int64_t{1} << 24;  ///< 64 MB

  /// K above the number of classes are left out. `sets`: multi-label.
  ScoreMetrics(int64_t classes, bool sets, const ScoreOptions& options);

  /// probabilities: float [batch, classes], on any device; targets as classification_loss takes them.
  void add(const at::Tensor& probabilities, const at::Tensor& targets);

  /// Adds to `values`:
  /// - precision_at_k, recall_at_k: objects with K as key. Of the K most probable labels the share that a
  /// text
  ///   has, and of a text's labels the share that is among them; means over the texts, of recall over those
  ///   that have a label. As probable: the first label first.
  /// - pr_auc, auc: of two classes the second's; else the mean over the labels that some text has (and, of
  /// auc,
  ///   some has not), each against the rest. Null where undefined; missing where left out.
  /// - ece: expected calibration error in 15 bins of equal width (Guo et al. 2017), of the guess's
  /// probability;
  ///   where labels are sets, of every label's.
  void report(Json& values) const;
  /// Those bins that have any: a list of from, to, examples, confidence (the mean probability) and accuracy
  /// (the share that was right).
  Json reliability() const;

 private:
  struct Bin {
    double count = 0, confidence = 0, right = 0;
  };
  void calibrate(double probability, bool right);
  void rank(std::span<const float> row, std::span<const uint8_t> truth);

  int64_t classes_;
  bool sets_;
  std::vector<int64_t> k_;
  std::vector<double> precision_, recall_;  // for each K, summed over texts
  double texts_ = 0, labelled_ = 0;
  std::array<Bin, 15> bins_{};
  bool kept_ = true;               // whether the scores are
  std::vector<float> scores_;      // [text][class]; of two classes the second's alone
  std::vector<uint8_t> positive_;  // of the same shape
};

}  // namespace semblance
