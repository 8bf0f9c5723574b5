// Rows of different lengths in one array: row i is values[offsets[i], offsets[i + 1]).
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <numeric>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "data/bulk.h"

namespace semblance {

/// Rows that somebody else holds.
template <class T>
struct RaggedView {
  std::span<const T> values;
  std::span<const int64_t> offsets;

  int64_t size() const { return static_cast<int64_t>(offsets.size()) - 1; }
  int64_t length(int64_t row) const {
    return offsets[static_cast<size_t>(row) + 1] - offsets[static_cast<size_t>(row)];
  }
  std::span<const T> operator[](int64_t row) const {
    return {values.data() + offsets[static_cast<size_t>(row)], static_cast<size_t>(length(row))};
  }
};

/// Rows to append to.
template <class T>
struct Ragged {
  Bulk<T> values;
  Bulk<int64_t> offsets{0};

  operator RaggedView<T>() const { return {values, offsets}; }  // NOLINT(google-explicit-constructor)
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
using RaggedIdsView = RaggedView<int32_t>;

/// Rows that do not change any more, in memory or in a mapped file. A copy is the same rows.
struct FrozenIds : RaggedIdsView {
  FrozenIds() : FrozenIds(RaggedIds()) {}
  FrozenIds(RaggedIds rows)  // NOLINT(google-explicit-constructor)
      : FrozenIds(std::make_shared<const RaggedIds>(std::move(rows))) {}
  FrozenIds(RaggedIdsView rows, ArrayHolder holder) : RaggedIdsView(rows), holder_(std::move(holder)) {}

  /// Rows that are read in no order: these, or copies where these are far.
  struct Near {
    RaggedIds copies;
    RaggedIdsView all;
    std::vector<int64_t> numbers;  ///< of each row asked for, in `all`

    std::span<const int32_t> operator[](size_t i) const { return all[numbers[i]]; }
  };
  Near near(std::span<const int64_t> rows) const {
    Near near{.copies = {}, .all = *this, .numbers = {rows.begin(), rows.end()}};
    if (!holder_.far) return near;
    auto& copies = near.copies;
    std::array<int64_t, 2> ends;
    for (const int64_t row : rows) {
      holder_.far->copy(&offsets[static_cast<size_t>(row)], sizeof ends, ends.data());
      const size_t before = copies.values.size(), length = static_cast<size_t>(ends[1] - ends[0]);
      copies.values.resize(before + length);
      if (length > 0)
        holder_.far->copy(values.data() + ends[0], length * sizeof(int32_t), copies.values.data() + before);
      copies.close_row();
    }
    near.all = copies;
    std::iota(near.numbers.begin(), near.numbers.end(), 0);
    return near;
  }

 private:
  explicit FrozenIds(std::shared_ptr<const RaggedIds> rows) : FrozenIds(*rows, ArrayHolder{rows}) {}

  ArrayHolder holder_;
};

/// Many texts in one block of memory.
struct Texts : Ragged<char> {
  std::string_view operator[](int64_t row) const {
    const auto characters = Ragged<char>::operator[](row);
    return {characters.data(), characters.size()};
  }
};

/// The given rows of `rows`, in the order given.
template <class Selected, class Rows>
Selected select_rows(const Rows& rows, std::span<const int64_t> indices) {
  Selected selected;
  selected.offsets.reserve(indices.size() + 1);
  for (const int64_t i : indices) selected.push_back(rows[i]);
  return selected;
}

}  // namespace semblance
