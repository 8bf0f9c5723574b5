#include "training/tasks/sentiment/fasttext_model.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "data/tensors.h"
#include "models/losses.h"
#include "training/measures/classification.h"
#include "training/tasks/sentiment/labels.h"

namespace semblance {

std::vector<LayerSummary> FastTextServed::layers() const {
  const auto labels = static_cast<int64_t>(classes().size());
  return {
      {"embedding, mean", fmt::format("[batch, {}]", model().dim()), model().rows() * model().dim(), false},
      {"linear", fmt::format("[batch, {}]", labels), labels * model().dim(), false}};
}

Json FastTextServed::evaluate(std::span<const std::string> paths, const Notice& notice,
                              const std::function<void(int64_t)>& progress) {
  constexpr size_t kMostNumbers = size_t{1} << 20;
  LabelSet labels;
  labels.classes = classes();
  labels.multi_label = true;  // any number of labels is read; what it comes to is told below
  const auto known = read_known_texts(paths, evaluation_.input, expected_input(), labels, notice);
  const auto& [rows, usable, unknown] = known.numbered;
  const bool sets = is_multi_label() || known.texts.sets;
  const size_t count = classes().size();
  ClassificationMetrics metrics(classes(), sets, evaluation_.scores);
  std::map<int64_t, int64_t> hits;
  for (const int64_t k : evaluation_.scores.k)
    if (k <= static_cast<int64_t>(count)) hits[k] = 0;
  int64_t given = 0;
  const auto step = std::max<size_t>(1, kMostNumbers / count);
  for (size_t first = 0; first < usable.size(); first += step) {
    const auto part = std::span(usable).subspan(first, std::min(step, usable.size() - first));
    std::vector<float> p(part.size() * count), logits(p.size());
    auto targets = zero_tensor({static_cast<int64_t>(part.size()), static_cast<int64_t>(count)});
    auto numbers = zero_tensor({static_cast<int64_t>(part.size())}, at::kLong);
    for (size_t i = 0; i < part.size(); ++i) {
      const auto row = std::span(p).subspan(i * count, count);
      probabilities(known.texts.texts[part[i]], 1, row);
      given += rows.length(part[i]);
      for (auto& [k, hit] : hits)
        for (const size_t label : fasttext_best(row, static_cast<size_t>(k), 0))
          hit += std::ranges::count(rows[part[i]], static_cast<int32_t>(label));
      for (const int32_t label : rows[part[i]]) {
        targets.data_ptr<float>()[i * count + static_cast<size_t>(label)] = 1;
        numbers.data_ptr<int64_t>()[i] = label;
      }
    }
    for (float& x : p) x = std::min(x, 1.0f);
    // Of what it tells as probabilities.
    constexpr float kLeast = 1e-12f;
    std::ranges::transform(p, logits.begin(), [&](float x) {
      const float log_p = std::log(std::max(x, kLeast));
      return sets ? log_p - std::log(std::max(1 - x, kLeast)) : log_p;
    });
    const auto z = float_tensor(std::span<const float>(logits)).view(targets.sizes());
    const auto& wanted = sets ? targets : numbers;
    metrics.add(z, wanted,
                classification_loss(z, wanted,
                                    sets ? ClassificationLoss::BceLogits : ClassificationLoss::CrossEntropy),
                float_tensor(std::span<const float>(p)).view(targets.sizes()));
    progress(static_cast<int64_t>(first + part.size()));
  }
  Json report = {{"task", "fasttext"}};
  report.update(metrics.result().report());
  for (const auto& [k, hit] : hits) {
    report[fmt::format("P@{}", k)] = static_cast<double>(hit) / static_cast<double>(k * std::ssize(usable));
    report[fmt::format("R@{}", k)] = static_cast<double>(hit) / static_cast<double>(given);
  }
  report["skipped"] = known.skipped;
  return report;
}

}  // namespace semblance
