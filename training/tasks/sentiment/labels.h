// The labels of a classifier: their lasting order, and texts' labels in its terms.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "data/notice.h"
#include "data/ragged.h"
#include "data/readers/labelled_texts.h"

namespace semblance {

struct LabelSet {
  std::vector<std::string> classes;  ///< in the order of the logits: numbers by value, then words by bytes
  bool multi_label = false;          ///< whether a text may have any number of labels

  LabelSet() = default;
  /// Of the texts to train on.
  explicit LabelSet(const LabelledTexts& texts);

  /// For people: "classes a, b", or their number where texts have sets of them.
  std::string description() const;
  /// For people: the first twelve, and their number where there are more.
  std::string listing() const;
  /// Pairs of classes that were hardly meant to be two: one number ("1" and "1.0"), one word but for case.
  std::vector<std::pair<std::string, std::string>> alike() const;
  /// Whether a label is one of them; what is returned stands by itself.
  std::function<bool(std::string_view)> lookup() const;
};

/// Texts' labels as numbers of `LabelSet::classes`.
struct NumberedLabels {
  RaggedIds labels;      ///< a row for each text; empty where a label is not known
  Bulk<int64_t> usable;  ///< rows whose labels are all known, ascending
  std::string unknown;   ///< the first label that is not known
};
NumberedLabels number_labels(const LabelledTexts& texts, const LabelSet& set);

/// Texts to measure a trained model on.
struct KnownTexts {
  LabelledTexts texts;
  NumberedLabels numbered;  ///< of them; at least one is usable
  int64_t skipped = 0;      ///< rows left out
};
/// Reads `paths`; `trained`: as read_labelled_texts takes it. Rows with labels that `set` lacks are left out
/// and told where bad rows are skipped. Throws Error(Data).
KnownTexts read_known_texts(std::span<const std::string> paths, const InputOptions& layout,
                            const Expected& trained, const LabelSet& set, const Notice& notice);

/// How often each class occurs in the given rows.
std::vector<int64_t> count_classes(const RaggedIdsView& labels, std::span<const int64_t> rows,
                                   size_t classes);

}  // namespace semblance
