#include "training/tasks/sentiment/labels.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <ranges>

namespace semblance {
namespace {

bool is_number(std::string_view text) {
  double value;
  const auto* end = text.data() + text.size();
  return std::from_chars(text.data(), end, value).ptr == end && !text.empty();
}

}  // namespace

LabelSet::LabelSet(const LabelledTexts& texts) : multi_label(texts.sets) {
  for (int32_t i = 0; i < texts.names.size(); ++i) classes.emplace_back(texts.names[i]);
  const auto value = [](const std::string& text) {
    double v = 0;
    std::from_chars(text.data(), text.data() + text.size(), v);
    return v;
  };
  if (std::ranges::all_of(classes, is_number))
    std::ranges::sort(classes, [&](const auto& a, const auto& b) {
      return value(a) != value(b) ? value(a) < value(b) : a < b;
    });
  else
    std::ranges::sort(classes);
}

std::string LabelSet::description() const {
  return multi_label ? fmt::format("multi-label, {} labels", classes.size())
                     : fmt::format("classes {}", fmt::join(classes | std::views::take(12), ", "));
}

NumberedLabels number_labels(const LabelledTexts& texts, const LabelSet& set) {
  WordTable known;
  for (const auto& name : set.classes) known.add(name);
  NumberedLabels numbered;
  auto& labels = numbered.labels;
  for (int64_t row = 0; row < texts.texts.size(); ++row) {
    const size_t begin = labels.values.size();
    bool is_known = set.multi_label || texts.labels.length(row) == 1;
    for (const int32_t label : texts.labels[row]) {
      const int32_t id = known.find(texts.names[label]);
      if (id < 0 && numbered.unknown.empty()) numbered.unknown = texts.names[label];
      is_known &= id >= 0;
      labels.values.push_back(id);
    }
    if (is_known)
      numbered.usable.push_back(row);
    else
      labels.values.resize(begin);
    labels.close_row();
  }
  return numbered;
}

std::vector<int64_t> count_classes(const RaggedIds& labels, std::span<const int64_t> rows, size_t classes) {
  std::vector<int64_t> counts(classes);
  for (const int64_t row : rows)
    for (const int32_t label : labels[row]) ++counts[static_cast<size_t>(label)];
  return counts;
}

}  // namespace semblance
