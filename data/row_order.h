// The order of an epoch's rows.
#pragma once

#include <cstdint>
#include <variant>

#include "data/bulk.h"
#include "data/random.h"

namespace semblance {

/// The numbers from 0 to size - 1 in an order that looks random, each computed where it is asked for, so that
/// any number of them takes no memory. Two numbers of base ceil(sqrt(size)), each moved in turn by a hash of
/// the other, stand for one; results past the end are permuted again (J. Black and P. Rogaway, Ciphers with
/// Arbitrary Finite Domains, 2002).
class KeyedPermutation {
 public:
  /// `size`: 0 to 2^62.
  KeyedPermutation(int64_t size, uint64_t key);

  int64_t size() const { return static_cast<int64_t>(size_); }
  int64_t operator[](int64_t place) const;

 private:
  static constexpr int kRounds = 4;

  uint64_t size_, base_, key_;
};

class RowOrder {
 public:
  explicit RowOrder(Bulk<int64_t> rows) : order_(std::move(rows)) {}
  explicit RowOrder(const KeyedPermutation& permutation) : order_(permutation) {}
  /// 0, 1, …, size - 1
  static RowOrder ascending(int64_t size) { return RowOrder(size); }

  int64_t size() const;
  int64_t operator[](int64_t place) const;
  /// Otherwise each row comes once.
  bool is_list() const { return std::holds_alternative<Bulk<int64_t>>(order_); }

 private:
  explicit RowOrder(int64_t size) : order_(size) {}

  std::variant<int64_t, Bulk<int64_t>, KeyedPermutation> order_;
};

}  // namespace semblance
