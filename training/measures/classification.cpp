#include "training/measures/classification.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace semblance {
namespace {

double ratio(double part, double whole) {
  return whole > 0 ? part / whole : 0;
}

}  // namespace

void ClassificationMetrics::add(const at::Tensor& logits, const at::Tensor& targets, const LossSum& loss,
                                const at::Tensor& probabilities) {
  if (scores_) scores_->add(probabilities, targets);
  loss_total_ += loss.total.item<double>();
  loss_weight_ += loss.weight.item<double>();
  examples_ += logits.size(0);
  if (sets_) {
    const auto guess = logits.ge(0), truth = targets.gt(0.5);
    const auto both = guess.logical_and(truth).sum(0).cpu(), predicted = guess.sum(0).cpu(),
               actual = truth.sum(0).cpu();
    for (size_t c = 0; c < classes_.size(); ++c) {
      const auto i = static_cast<int64_t>(c);
      hits_[c] += both.data_ptr<int64_t>()[i];
      predicted_[c] += predicted.data_ptr<int64_t>()[i];
      actual_[c] += actual.data_ptr<int64_t>()[i];
    }
    exact_ += guess.eq(truth).all(1).sum().item<int64_t>();
    return;
  }
  const bool one_logit = logits.size(1) == 1;
  const auto guess = (one_logit ? logits.squeeze(1).ge(0).to(at::kLong) : logits.argmax(1)).cpu();
  const auto truth = targets.cpu();
  const size_t n = classes_.size();
  for (int64_t i = 0; i < guess.numel(); ++i) {
    const auto t = static_cast<size_t>(truth.data_ptr<int64_t>()[i]),
               p = static_cast<size_t>(guess.data_ptr<int64_t>()[i]);
    ++actual_[t], ++predicted_[p];
    hits_[t] += t == p;
    if (!confusion_.empty()) ++confusion_[t * n + p];
  }
  if (n == 2) {
    const auto score = (one_logit ? logits.squeeze(1) : logits.select(1, 1).sub(logits.select(1, 0)))
                           .to(at::kFloat)
                           .cpu()
                           .contiguous();
    second_.insert(second_.end(), score.data_ptr<float>(), score.data_ptr<float>() + score.numel());
    for (int64_t i = 0; i < truth.numel(); ++i) positive_.push_back(truth.data_ptr<int64_t>()[i] == 1);
  }
}

Metrics ClassificationMetrics::result() const {
  const size_t n = classes_.size();
  const auto total = [](const std::vector<int64_t>& v) {
    return static_cast<double>(std::accumulate(v.begin(), v.end(), int64_t{0}));
  };
  Json per_class = Json::array();
  double f1_sum = 0;
  int64_t seen = 0;
  for (size_t c = 0; c < n; ++c) {
    const auto h = static_cast<double>(hits_[c]), p = static_cast<double>(predicted_[c]),
               a = static_cast<double>(actual_[c]);
    const double f1 = ratio(2 * h, p + a);
    if (p + a > 0) f1_sum += f1, ++seen;
    per_class.push_back({{"label", classes_[c]},
                         {"precision", ratio(h, p)},
                         {"recall", ratio(h, a)},
                         {"f1", f1},
                         {"examples", actual_[c]}});
  }
  Metrics metrics;
  auto& values = metrics.values;
  values["examples"] = examples_;
  values["loss"] = number_or_null(loss_total_ / loss_weight_);
  values["accuracy"] =
      ratio(sets_ ? static_cast<double>(exact_) : total(hits_), static_cast<double>(examples_));
  // As scikit-learn: over the labels that occur or are predicted; over all of them where labels are sets.
  values["macro_f1"] = ratio(f1_sum, static_cast<double>(sets_ ? static_cast<int64_t>(n) : seen));
  values["micro_f1"] = ratio(2 * total(hits_), total(predicted_) + total(actual_));
  if (scores_) scores_->report(values);
  if (!sets_ && n == 2) values["auc"] = number_or_null(roc_auc(second_, positive_));
  metrics.details["per_class"] = std::move(per_class);
  if (!confusion_.empty()) {
    Json rows = Json::array();
    for (size_t t = 0; t < n; ++t)
      rows.push_back(std::vector<int64_t>(confusion_.begin() + static_cast<int64_t>(t * n),
                                          confusion_.begin() + static_cast<int64_t>((t + 1) * n)));
    metrics.details["confusion"] = std::move(rows);
  }
  if (scores_) metrics.details["reliability"] = scores_->reliability();
  return metrics;
}

}  // namespace semblance
