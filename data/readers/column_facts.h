// What the cells of a column have in common, by which it shows that a column holds no texts.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace semblance {

/// The number that `text` is, blanks around it aside; nothing if it is none.
std::optional<double> number_in(std::string_view text);

class ColumnFacts {
 public:
  void add(std::string_view cell);

  /// All but a few strays are numbers.
  bool holds_numbers() const { return cells_ > 0 && 10 * numbers_ >= 9 * cells_; }
  /// Every cell is the same, in two rows and more.
  bool is_constant() const { return cells_ > 1 && !varies_; }
  /// A few single words, each of which comes back again and again: classes.
  bool holds_labels() const {
    return words_ && cells_ >= kRepeats * static_cast<int64_t>(values_.size()) && !values_.empty();
  }
  /// Single words that come back, as classes do, which few rows may show.
  bool may_hold_labels() const {
    return words_ && !values_.empty() && cells_ >= 2 * static_cast<int64_t>(values_.size());
  }
  bool holds_no_texts() const { return holds_numbers() || is_constant() || holds_labels(); }
  /// For people: "numbers (4.8)".
  std::string description() const;
  const std::string& first() const { return first_; }

 private:
  static constexpr int64_t kRepeats = 20;
  static constexpr size_t kMostLabels = 1000, kLongestLabel = 40;

  int64_t cells_ = 0, numbers_ = 0;  // missing ones not counted
  std::string first_;
  bool varies_ = false, words_ = true;
  std::set<std::string, std::less<>> values_;
};

}  // namespace semblance
