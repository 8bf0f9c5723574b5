#include "training/tasks/sentiment/labels.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <ranges>

#include "data/error.h"
#include "data/text/unicode.h"

namespace semblance {
namespace {

// Numbers by their value, before all else; "nan" is a word.
std::pair<double, std::string_view> rank(const std::string& label) {
  constexpr double kAfterNumbers = std::numeric_limits<double>::infinity();
  double value = 0;
  const auto* end = label.data() + label.size();
  const bool number = std::from_chars(label.data(), end, value).ptr == end && std::isfinite(value);
  return {number && !label.empty() ? value : kAfterNumbers, label};
}

}  // namespace

LabelSet::LabelSet(const LabelledTexts& texts) : multi_label(texts.sets) {
  for (int32_t i = 0; i < texts.names.size(); ++i) classes.emplace_back(texts.names[i]);
  std::ranges::sort(classes, {}, rank);
}

std::string LabelSet::description() const {
  return multi_label ? fmt::format("multi-label, {} labels", classes.size())
                     : fmt::format("classes {}", listing());
}

std::string LabelSet::listing() const {
  constexpr size_t kMost = 12;
  const auto first = fmt::format("{}", fmt::join(classes | std::views::take(kMost), ", "));
  return classes.size() > kMost ? fmt::format("{}, … ({} in all)", first, classes.size()) : first;
}

std::vector<std::pair<std::string, std::string>> LabelSet::alike() const {
  std::vector<std::pair<std::string, std::string>> pairs;
  std::map<std::string, std::string> first;
  for (const auto& name : classes) {
    const double value = rank(name).first;
    const auto [place, is_new] =
        first.emplace(std::isfinite(value) ? fmt::format("{}", value + 0.0) : case_folded(name), name);
    if (!is_new) pairs.emplace_back(place->second, name);
  }
  return pairs;
}

std::function<bool(std::string_view)> LabelSet::lookup() const {
  const auto known = std::make_shared<WordTable>();
  for (const auto& name : classes) known->add(name);
  return [known](std::string_view label) { return known->find(label) >= 0; };
}

NumberedLabels number_labels(const LabelledTexts& texts, const LabelSet& set) {
  WordTable known;
  for (const auto& name : set.classes) known.add(name);
  NumberedLabels numbered;
  auto& labels = numbered.labels;
  for (int64_t row = 0; row < texts.labels.size(); ++row) {
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

KnownTexts read_known_texts(std::span<const std::string> paths, const InputOptions& layout,
                            const Expected& trained, const LabelSet& set, const Notice& notice) {
  const auto& path = paths.front();
  KnownTexts known{.texts = read_labelled_texts(paths, layout, trained), .numbered = {}};
  const auto& texts = known.texts;
  texts.report.tell(path, notice);
  if (texts.sets && !set.multi_label)
    throw Error(ErrorKind::Data, "{}: expected one label per text, found several", path);
  known.numbered = number_labels(texts, set);
  known.skipped = texts.report.skipped;
  const auto& numbered = known.numbered;
  if (const auto strange = texts.labels.size() - static_cast<int64_t>(numbered.usable.size()); strange > 0) {
    if (layout.table.bad_rows == BadRows::Error)
      throw Error(ErrorKind::Data,
                  "{}: expected labels seen in training ({}), found '{}' in {} row(s); leave such rows out "
                  "with --bad-rows skip",
                  path, set.listing(), numbered.unknown, strange);
    known.skipped += strange;
    notice(fmt::format("{}: left out {} row(s) with labels not seen in training, such as '{}'", path, strange,
                       numbered.unknown));
  }
  if (numbered.usable.empty())
    throw Error(ErrorKind::Data, "{}: expected labelled texts, found none that can be used", path);
  return known;
}

std::vector<int64_t> count_classes(const RaggedIdsView& labels, std::span<const int64_t> rows,
                                   size_t classes) {
  std::vector<int64_t> counts(classes);
  for (const int64_t row : rows)
    for (const int32_t label : labels[row]) ++counts[static_cast<size_t>(label)];
  return counts;
}

}  // namespace semblance
