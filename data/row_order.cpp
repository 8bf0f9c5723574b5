#include "data/row_order.h"

#include <cmath>

namespace semblance {

KeyedPermutation::KeyedPermutation(int64_t size, uint64_t key)
    : size_(static_cast<uint64_t>(size)), base_(1), key_(key) {
  base_ = static_cast<uint64_t>(std::sqrt(static_cast<double>(size_)));
  while (base_ * base_ < size_) ++base_;
}

int64_t KeyedPermutation::operator[](int64_t place) const {
  const auto move = [this](uint64_t digit, uint64_t by, int round) {
    __extension__ using Wide = unsigned __int128;
    const uint64_t hash = mix(mix(key_, static_cast<uint64_t>(round)), by);
    digit += static_cast<uint64_t>((static_cast<Wide>(hash) * base_) >> 64);
    return digit < base_ ? digit : digit - base_;
  };
  auto number = static_cast<uint64_t>(place);
  do {
    uint64_t high = number / base_, low = number % base_;
    for (int round = 0; round < kRounds; ++round) {
      low = move(low, high, 2 * round);
      high = move(high, low, 2 * round + 1);
    }
    number = high * base_ + low;
  } while (number >= size_);
  return static_cast<int64_t>(number);
}

int64_t RowOrder::size() const {
  if (const auto* rows = std::get_if<Bulk<int64_t>>(&order_)) return static_cast<int64_t>(rows->size());
  if (const auto* permutation = std::get_if<KeyedPermutation>(&order_)) return permutation->size();
  return std::get<int64_t>(order_);
}

int64_t RowOrder::operator[](int64_t place) const {
  if (const auto* rows = std::get_if<Bulk<int64_t>>(&order_)) return (*rows)[static_cast<size_t>(place)];
  if (const auto* permutation = std::get_if<KeyedPermutation>(&order_)) return (*permutation)[place];
  return place;
}

}  // namespace semblance
