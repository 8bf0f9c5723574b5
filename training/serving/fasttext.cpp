#include "training/serving/fasttext.h"

#include <algorithm>
#include <cmath>

#include "data/error.h"

namespace semblance {

FastTextClassifier::FastTextClassifier(const std::string& path) : model_(path) {
  if (!model_.is_classifier())
    throw Error(ErrorKind::Model, "{}: expected a classifier, found fastText word vectors", path);
}

Expected FastTextClassifier::expected_input() const {
  const auto known = std::make_shared<WordTable>();
  for (const auto& label : classes()) known->add(label);
  return {.layout = nullptr,
          .knows_label = [known](std::string_view label) { return known->find(label) >= 0; }};
}

bool FastTextClassifier::probabilities(std::string_view text, double temperature,
                                       std::span<float> out) const {
  const bool known = model_.label_probabilities(text, out);
  if (temperature == 1) return known;
  double sum = 0;
  for (float& p : out) {
    const double sure = std::min(static_cast<double>(p), 1.0);
    const double odds = is_multi_label() ? sure / (1 - sure) : sure,
                 changed = std::pow(odds, 1 / temperature);
    p = static_cast<float>(!is_multi_label() ? changed : std::isinf(changed) ? 1 : changed / (1 + changed));
    sum += p;
  }
  if (!is_multi_label())
    for (float& p : out) p = static_cast<float>(p / sum);
  return known;
}

std::vector<Prediction> FastTextClassifier::predict(const Texts& texts, const PredictOptions& options) {
  const bool ranked = options.top_k > 0 || options.threshold > 0;
  const bool best_alone = !ranked && !is_multi_label();
  const auto k = best_alone ? 1 : options.top_k > 0 ? static_cast<size_t>(options.top_k) : classes().size();
  const auto threshold = static_cast<float>(ranked ? options.threshold : best_alone ? 0 : 0.5);
  std::vector<Prediction> predictions;
  std::vector<float> p(classes().size());
  for (int64_t i = 0; i < texts.size(); ++i) {
    Prediction prediction{.labels = {}, .probabilities = {}, .all = {}};
    prediction.known = probabilities(texts[i], options.temperature, p);
    for (const size_t label : fasttext_best(p, k, threshold)) {
      prediction.labels.push_back(classes()[label]);
      prediction.probabilities.push_back(p[label]);
    }
    if (options.all_probabilities) prediction.all.assign(p.begin(), p.end());
    predictions.push_back(std::move(prediction));
  }
  return predictions;
}

std::shared_ptr<WordEncoder> open_fasttext_words(const std::string& path) {
  if (!is_fasttext_model(path)) return nullptr;
  auto model = std::make_shared<const FastTextModel>(path);
  return model->has_subwords() ? std::make_shared<FastTextWords>(std::move(model)) : nullptr;
}

}  // namespace semblance
