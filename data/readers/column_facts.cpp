#include "data/readers/column_facts.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "data/readers/label_cells.h"

namespace semblance {
namespace {

// How tables write that a cell has nothing.
constexpr std::string_view kMissing[] = {"", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "\\N"};

}  // namespace

std::optional<double> number_in(std::string_view text) {
  text = trim(text);
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, status] = std::from_chars(text.data(), end, value);
  if (text.empty() || stop != end || status == std::errc::invalid_argument) return std::nullopt;
  return value;
}

void ColumnFacts::add(std::string_view cell) {
  constexpr size_t kLongestMissing = 8;  // with blanks around it
  if (cell.size() <= kLongestMissing && std::ranges::find(kMissing, trim(cell)) != std::end(kMissing)) return;
  if (cells_++ == 0) first_ = cell;
  if (!varies_) varies_ = cell != first_;
  // Most texts begin as no number does.
  if (std::string_view("0123456789+-. \t").find(cell[0]) != std::string_view::npos && number_in(cell))
    ++numbers_;
  if (!words_) return;
  if (cell.size() > kLongestLabel || cell.find(' ') != std::string_view::npos) {
    words_ = false;
  } else if (!values_.contains(cell)) {
    values_.emplace(cell);
    words_ = values_.size() <= kMostLabels;
  }
  if (!words_) values_.clear();
}

std::string ColumnFacts::description() const {
  return fmt::format("{} ({:.40})",
                     holds_numbers()  ? "numbers"
                     : is_constant()  ? "the same in every row"
                     : holds_labels() ? "classes"
                                      : "texts",
                     first_);
}

}  // namespace semblance
