#include "training/measures/scores.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>

namespace semblance {
namespace {

constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();

// Calls visit(examples, positives) for each run of equal scores, the highest first. False if a score is NaN,
// as a diverged model's are: those have no order.
bool for_each_tie(const std::vector<float>& scores, const std::vector<uint8_t>& positive,
                  const std::function<void(double, double)>& visit) {
  if (std::ranges::any_of(scores, [](float score) { return std::isnan(score); })) return false;
  std::vector<size_t> order(scores.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::sort(order, [&](size_t a, size_t b) { return scores[a] > scores[b]; });
  for (size_t i = 0; i < order.size();) {
    size_t end = i;
    double tied = 0;
    while (end < order.size() && scores[order[end]] == scores[order[i]]) tied += positive[order[end++]];
    visit(static_cast<double>(end - i), tied);
    i = end;
  }
  return true;
}

}  // namespace

double roc_auc(const std::vector<float>& scores, const std::vector<uint8_t>& positive) {
  double negatives = 0, positives = 0, above = 0;
  if (!for_each_tie(scores, positive, [&](double examples, double tied) {
        above += (examples - tied) * (positives + tied / 2);
        positives += tied;
        negatives += examples - tied;
      }))
    return kUndefined;
  return positives > 0 && negatives > 0 ? above / (positives * negatives) : kUndefined;
}

double average_precision(const std::vector<float>& scores, const std::vector<uint8_t>& positive) {
  double seen = 0, positives = 0, sum = 0;
  if (!for_each_tie(scores, positive, [&](double examples, double tied) {
        seen += examples;
        positives += tied;
        sum += tied * positives / seen;
      }))
    return kUndefined;
  return positives > 0 ? sum / positives : kUndefined;
}

ScoreMetrics::ScoreMetrics(int64_t classes, bool sets, const ScoreOptions& options)
    : classes_(classes), sets_(sets), k_(options.k) {
  std::erase_if(k_, [&](int64_t k) { return k > classes; });
  std::ranges::sort(k_);
  k_.erase(std::ranges::unique(k_).begin(), k_.end());
  precision_.resize(k_.size());
  recall_.resize(k_.size());
}

void ScoreMetrics::calibrate(double probability, bool right) {
  const auto last = static_cast<double>(bins_.size() - 1);
  if (std::isnan(probability)) return;
  auto& bin = bins_[static_cast<size_t>(std::min(last, std::floor(probability * (last + 1))))];
  ++bin.count;
  bin.confidence += probability;
  bin.right += right;
}

void ScoreMetrics::rank(std::span<const float> row, std::span<const uint8_t> truth) {
  const auto labels = static_cast<double>(std::ranges::count(truth, 1));
  ++texts_;
  labelled_ += labels > 0;
  if (k_.empty()) return;
  // The best so far, the first the best: of very many classes few ever come among them.
  const auto most = static_cast<size_t>(k_.back());
  std::vector<size_t> order;
  for (size_t c = 0; c < row.size(); ++c) {
    if (order.size() == most && !(row[c] > row[order.back()])) continue;
    if (order.size() == most) order.pop_back();
    const auto place =
        std::ranges::upper_bound(order, row[c], std::greater(), [&](size_t i) { return row[i]; });
    order.insert(place, c);
  }
  double hits = 0;
  for (size_t place = 0, next = 0; place < most; ++place) {
    hits += truth[order[place]];
    if (static_cast<int64_t>(place) + 1 != k_[next]) continue;
    precision_[next] += hits / static_cast<double>(k_[next]);
    if (labels > 0) recall_[next] += hits / labels;
    ++next;
  }
}

void ScoreMetrics::add(const at::Tensor& probabilities, const at::Tensor& targets) {
  const auto all = probabilities.to(at::kCPU, at::kFloat).contiguous();
  const auto truths = targets.cpu().contiguous();
  const auto n = static_cast<size_t>(classes_);
  std::vector<uint8_t> truth(n);
  for (int64_t i = 0; i < all.size(0); ++i) {
    const std::span row(all.const_data_ptr<float>() + i * classes_, n);
    if (sets_)
      for (size_t c = 0; c < n; ++c)
        truth[c] = truths.const_data_ptr<float>()[static_cast<size_t>(i) * n + c] > 0.5f;
    else
      truth[static_cast<size_t>(truths.const_data_ptr<int64_t>()[i])] = 1;
    rank(row, truth);
    if (sets_) {
      for (size_t c = 0; c < n; ++c) calibrate(static_cast<double>(row[c]), truth[c] == 1);
    } else {
      const auto guess = std::ranges::max_element(row);
      calibrate(static_cast<double>(*guess), truth[static_cast<size_t>(guess - row.begin())] == 1);
    }
    const size_t first = n == 2 && !sets_ ? 1 : 0;  // of two classes the second says all
    kept_ = kept_ && static_cast<int64_t>(scores_.size() + n) <= kMostScores;
    if (kept_) {
      scores_.insert(scores_.end(), row.begin() + static_cast<int64_t>(first), row.end());
      positive_.insert(positive_.end(), truth.begin() + static_cast<int64_t>(first), truth.end());
    } else if (!scores_.empty()) {
      scores_ = {}, positive_ = {};
    }
    if (!sets_) truth[static_cast<size_t>(truths.const_data_ptr<int64_t>()[i])] = 0;
  }
}

void ScoreMetrics::report(Json& values) const {
  Json precision = Json::object(), recall = Json::object();
  for (size_t i = 0; i < k_.size(); ++i) {
    precision[std::to_string(k_[i])] = number_or_null(precision_[i] / texts_);
    recall[std::to_string(k_[i])] = number_or_null(recall_[i] / labelled_);
  }
  values["precision_at_k"] = std::move(precision);
  values["recall_at_k"] = std::move(recall);
  if (kept_) {
    const auto columns = static_cast<size_t>(classes_ == 2 && !sets_ ? 1 : classes_);
    double areas[2] = {}, counted[2] = {};
    std::vector<float> scores;
    std::vector<uint8_t> positive;
    for (size_t c = 0; c < columns; ++c) {
      scores.clear(), positive.clear();
      for (size_t i = c; i < scores_.size(); i += columns) {
        scores.push_back(scores_[i]);
        positive.push_back(positive_[i]);
      }
      const double of_class[] = {average_precision(scores, positive), roc_auc(scores, positive)};
      for (size_t m = 0; m < 2; ++m)
        if (!std::isnan(of_class[m])) areas[m] += of_class[m], ++counted[m];
    }
    values["pr_auc"] = number_or_null(areas[0] / counted[0]);
    values["auc"] = number_or_null(areas[1] / counted[1]);
  }
  double gap = 0, examples = 0;
  for (const auto& bin : bins_) {
    gap += std::abs(bin.right - bin.confidence);
    examples += bin.count;
  }
  values["ece"] = number_or_null(gap / examples);
}

Json ScoreMetrics::reliability() const {
  Json list = Json::array();
  const auto bins = static_cast<double>(bins_.size());
  for (size_t i = 0; i < bins_.size(); ++i) {
    const auto& bin = bins_[i];
    if (bin.count == 0) continue;
    list.push_back({{"from", static_cast<double>(i) / bins},
                    {"to", static_cast<double>(i + 1) / bins},
                    {"examples", static_cast<int64_t>(bin.count)},
                    {"confidence", bin.confidence / bin.count},
                    {"accuracy", bin.right / bin.count}});
  }
  return list;
}

}  // namespace semblance
