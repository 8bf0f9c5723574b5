#include "training/serving/classifier.h"

#include <algorithm>

namespace semblance {
namespace {

// Those that an answer names.
std::vector<size_t> named_classes(std::span<const float> scores, std::span<const float> probabilities,
                                  bool multi_label, const PredictOptions& options) {
  const bool ranked = options.top_k > 0 || options.threshold > 0;
  if (!ranked && !multi_label)
    return {static_cast<size_t>(std::ranges::max_element(scores) - scores.begin())};
  std::vector<size_t> classes;
  for (size_t c = 0; c < scores.size(); ++c)
    if (ranked ? probabilities[c] >= static_cast<float>(options.threshold) : scores[c] >= 0)
      classes.push_back(c);
  if (!ranked) return classes;
  const auto named =
      options.top_k > 0 ? std::min(static_cast<size_t>(options.top_k), classes.size()) : classes.size();
  std::ranges::partial_sort(classes, classes.begin() + static_cast<int64_t>(named), [&](size_t a, size_t b) {
    return scores[a] > scores[b] || (scores[a] == scores[b] && a < b);
  });
  classes.resize(named);
  return classes;
}

}  // namespace

Prediction make_prediction(std::span<const float> scores, std::span<const float> probabilities,
                           std::span<const std::string> classes, bool multi_label, bool known,
                           const PredictOptions& options) {
  Prediction prediction{.labels = {}, .probabilities = {}, .all = {}, .known = known};
  for (const size_t c : named_classes(scores, probabilities, multi_label, options)) {
    prediction.labels.push_back(classes[c]);
    prediction.probabilities.push_back(probabilities[c]);
  }
  if (options.all_probabilities) prediction.all.assign(probabilities.begin(), probabilities.end());
  return prediction;
}

}  // namespace semblance
