// Which of the buckets that n-grams are hashed into have a row in a table: those that training texts fall
// into. What was never trained takes no room, in memory or in a checkpoint.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace semblance {

/// A set of buckets, numbered by the order of their hashes; some of them may share one row, the last. Never
/// changes once made, so any number of threads
/// may use it at once.
class NgramRows {
 public:
  /// None of no buckets.
  NgramRows() = default;
  /// Every one of `buckets`.
  static NgramRows all(int64_t buckets);
  /// Those of `buckets` that occur at least `least` times, 1 to kMostCounted, among `ids`, of which bucket b
  /// is `first` + b; those below `first` do not count.
  NgramRows(int64_t buckets, std::span<const int32_t> ids, int32_t first, int64_t least);

  static constexpr int64_t kMostCounted = 255;

  /// The same buckets, of which those whose rows `kept` names, ascending, keep a row of their own; the others
  /// share one.
  NgramRows share_all_but(std::span<const int32_t> kept) const;

  /// Number of a bucket's row, or -1.
  int32_t row(int32_t bucket) const {
    const Block& block = blocks_[static_cast<uint32_t>(bucket) / 64];
    const uint64_t bit = uint64_t{1} << (bucket % 64);
    if ((block.bits & bit) == 0) {
      const bool shares = !sharing_.empty() && (sharing_[static_cast<uint32_t>(bucket) / 64] & bit) != 0;
      return shares ? size_ - 1 : -1;
    }
    return block.before + __builtin_popcountll(block.bits & (bit - 1));
  }
  /// Rows.
  int32_t size() const { return size_; }

  /// The form kept in a checkpoint: a bit for each bucket that has a row of its own, the lowest bit of the
  /// first byte first; then, if any share one, likewise those that do.
  std::string serialize() const;
  /// Reads that form; `source` names it in messages. Throws Error(Model).
  static NgramRows parse(int64_t buckets, std::string_view bytes, const std::string& source);

 private:
  struct Block {
    uint64_t bits = 0;
    int32_t before = 0;  // rows of the blocks before
  };
  explicit NgramRows(int64_t buckets)
      : buckets_(buckets), blocks_(static_cast<size_t>((buckets + 63) / 64)) {}
  void number();
  template <class BitsOf>
  void append_bits(std::string& bytes, BitsOf bits_of) const;

  int64_t buckets_ = 0;
  std::vector<Block> blocks_;
  std::vector<uint64_t> sharing_;  // bits of the buckets that share a row; empty: none do
  int32_t size_ = 0;
};

}  // namespace semblance
