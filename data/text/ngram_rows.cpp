#include "data/text/ngram_rows.h"

#include <algorithm>

#include "data/error.h"

namespace semblance {

void NgramRows::number() {
  size_ = 0;
  for (Block& block : blocks_) {
    block.before = size_;
    size_ += __builtin_popcountll(block.bits);
  }
  if (!sharing_.empty()) ++size_;
}

NgramRows NgramRows::all(int64_t buckets) {
  NgramRows rows(buckets);
  for (Block& block : rows.blocks_) block.bits = ~uint64_t{0};
  if (buckets % 64 != 0) rows.blocks_.back().bits = (uint64_t{1} << (buckets % 64)) - 1;
  rows.number();
  return rows;
}

NgramRows::NgramRows(int64_t buckets, std::span<const int32_t> ids, int32_t first, int64_t least)
    : NgramRows(buckets) {
  std::vector<uint8_t> counts(static_cast<size_t>(buckets));
  for (const int32_t id : ids) {
    if (id < first) continue;
    if (auto& count = counts[static_cast<size_t>(id - first)]; count < kMostCounted) ++count;
  }
  for (int64_t bucket = 0; bucket < buckets; ++bucket)
    if (counts[static_cast<size_t>(bucket)] >= least)
      blocks_[static_cast<size_t>(bucket / 64)].bits |= uint64_t{1} << (bucket % 64);
  number();
}

NgramRows NgramRows::share_all_but(std::span<const int32_t> kept) const {
  NgramRows rows(buckets_);
  rows.sharing_.resize(blocks_.size());
  auto next = kept.begin();
  for (int64_t bucket = 0; bucket < buckets_; ++bucket) {
    const int32_t own = row(static_cast<int32_t>(bucket));
    if (own < 0) continue;
    const uint64_t bit = uint64_t{1} << (bucket % 64);
    const auto block = static_cast<size_t>(bucket / 64);
    if (next != kept.end() && *next == own) {
      rows.blocks_[block].bits |= bit;
      ++next;
    } else {
      rows.sharing_[block] |= bit;
    }
  }
  rows.number();
  return rows;
}

template <class BitsOf>
void NgramRows::append_bits(std::string& bytes, BitsOf bits_of) const {
  for (int64_t i = 0; i < (buckets_ + 7) / 8; ++i)
    bytes += static_cast<char>(bits_of(static_cast<size_t>(i / 8)) >> (i % 8 * 8) & 0xff);
}

std::string NgramRows::serialize() const {
  std::string bytes;
  append_bits(bytes, [&](size_t block) { return blocks_[block].bits; });
  if (!sharing_.empty()) append_bits(bytes, [&](size_t block) { return sharing_[block]; });
  return bytes;
}

NgramRows NgramRows::parse(int64_t buckets, std::string_view bytes, const std::string& source) {
  NgramRows rows(buckets);
  const auto expected = static_cast<size_t>((buckets + 7) / 8);
  const auto beyond = [&](std::string_view bits) {
    return buckets % 8 != 0 && static_cast<uint8_t>(bits.back()) >> (buckets % 8) != 0;
  };
  const auto own = bytes.substr(0, expected), sharing = bytes.substr(own.size());
  const bool shares = !sharing.empty();
  if (own.size() != expected || (shares && sharing.size() != expected) ||
      (expected > 0 && (beyond(own) || (shares && beyond(sharing)))))
    throw Error(ErrorKind::Model, "{}: expected a bit for each of {} buckets; the checkpoint is damaged",
                source, buckets);
  const auto word_of = [](std::string_view bits, size_t i) {
    return uint64_t{static_cast<uint8_t>(bits[i])} << (i % 8 * 8);
  };
  if (shares) rows.sharing_.resize(rows.blocks_.size());
  for (size_t i = 0; i < expected; ++i) {
    rows.blocks_[i / 8].bits |= word_of(own, i);
    if (shares) rows.sharing_[i / 8] |= word_of(sharing, i);
  }
  rows.number();
  return rows;
}

}  // namespace semblance
