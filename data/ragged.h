// Rows of different lengths in one array: row i is values[offsets[i], offsets[i + 1]).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace semblance {

template <class T>
struct Ragged {
  std::vector<T> values;
  std::vector<int64_t> offsets{0};

  int64_t size() const { return static_cast<int64_t>(offsets.size()) - 1; }
  int64_t length(int64_t row) const {
    return offsets[static_cast<size_t>(row) + 1] - offsets[static_cast<size_t>(row)];
  }
  std::span<const T> operator[](int64_t row) const {
    return {values.data() + offsets[static_cast<size_t>(row)], static_cast<size_t>(length(row))};
  }
  /// Appends a row.
  template <class Range>
  void push_back(const Range& row) {
    values.insert(values.end(), std::begin(row), std::end(row));
    close_row();
  }
  /// Appends all rows of another.
  void append(const Ragged& other) {
    const auto start = static_cast<int64_t>(values.size());
    values.insert(values.end(), other.values.begin(), other.values.end());
    for (size_t i = 1; i < other.offsets.size(); ++i) offsets.push_back(start + other.offsets[i]);
  }
  /// Ends the row whose values were appended to `values`.
  void close_row() { offsets.push_back(static_cast<int64_t>(values.size())); }
};

using RaggedIds = Ragged<int32_t>;

/// Many texts in one block of memory.
struct Texts : Ragged<char> {
  std::string_view operator[](int64_t row) const {
    const auto characters = Ragged<char>::operator[](row);
    return {characters.data(), characters.size()};
  }
};

/// The given rows of `rows`, in the order given.
template <class R>
R select_rows(const R& rows, std::span<const int64_t> indices) {
  R selected;
  selected.offsets.reserve(indices.size() + 1);
  for (const int64_t i : indices) selected.push_back(rows[i]);
  return selected;
}

}  // namespace semblance
