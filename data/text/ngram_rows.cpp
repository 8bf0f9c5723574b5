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
}

NgramRows NgramRows::all(int64_t buckets) {
  NgramRows rows(buckets);
  for (Block& block : rows.blocks_) block.bits = ~uint64_t{0};
  if (buckets % 64 != 0) rows.blocks_.back().bits = (uint64_t{1} << (buckets % 64)) - 1;
  rows.number();
  return rows;
}

NgramRows::NgramRows(int64_t buckets, std::span<const int32_t> occurrences, int64_t least)
    : NgramRows(buckets) {
  std::vector<uint8_t> counts(static_cast<size_t>(buckets));
  for (const int32_t bucket : occurrences)
    if (auto& count = counts[static_cast<size_t>(bucket)]; count < kMostCounted) ++count;
  for (int64_t bucket = 0; bucket < buckets; ++bucket)
    if (counts[static_cast<size_t>(bucket)] >= least)
      blocks_[static_cast<size_t>(bucket / 64)].bits |= uint64_t{1} << (bucket % 64);
  number();
}

std::string NgramRows::serialize() const {
  std::string bytes(static_cast<size_t>((buckets_ + 7) / 8), '\0');
  for (size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<char>(blocks_[i / 8].bits >> (i % 8 * 8) & 0xff);
  return bytes;
}

NgramRows NgramRows::parse(int64_t buckets, std::string_view bytes, const std::string& source) {
  NgramRows rows(buckets);
  const auto expected = static_cast<size_t>((buckets + 7) / 8);
  const bool beyond =
      !bytes.empty() && buckets % 8 != 0 && static_cast<uint8_t>(bytes.back()) >> (buckets % 8);
  if (bytes.size() != expected || beyond)
    throw Error(ErrorKind::Model, "{}: expected a bit for each of {} buckets; the checkpoint is damaged",
                source, buckets);
  for (size_t i = 0; i < bytes.size(); ++i)
    rows.blocks_[i / 8].bits |= uint64_t{static_cast<uint8_t>(bytes[i])} << (i % 8 * 8);
  rows.number();
  return rows;
}

}  // namespace semblance
