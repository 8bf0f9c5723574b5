// Words numbered in the order of their first appearance: a hash table over one block of memory, several times
// faster than a map of strings on the hundred million look-ups that encoding a corpus takes.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "data/ragged.h"

namespace semblance {

/// A place of the hash table: open addressing, linear probing, a power of two of places.
struct WordSlot {
  uint32_t tag = 0;  ///< upper half of the word's hash (XXH3)
  int32_t id = -1;   ///< none: the place is free
};

/// A word table in memory that somebody else holds. Wrong contents give wrong answers, but nothing worse.
struct WordIndex {
  std::span<const char> bytes;       ///< of all words
  std::span<const int64_t> offsets;  ///< word i is bytes[offsets[i], offsets[i + 1])
  std::span<const WordSlot> slots;

  int32_t size() const { return static_cast<int32_t>(offsets.size()) - 1; }
  std::string_view operator[](int32_t id) const;
  /// The id of `word`, or -1.
  int32_t find(std::string_view word) const;
};

/// Const functions may be called by several threads at once, as long as none changes the table.
class WordTable {
 public:
  WordTable();

  /// Number of different words.
  int32_t size() const { return static_cast<int32_t>(words_.size()); }
  std::string_view operator[](int32_t id) const { return words_[id]; }

  /// The id of `word`, added if it is new. Throws Error(Data) past 2^31 - 2 words.
  int32_t add(std::string_view word);
  /// The id of `word`, or -1.
  int32_t find(std::string_view word) const { return index().find(word); }

  /// The table's memory; holds until the next `add`.
  WordIndex index() const { return {words_.values, words_.offsets, slots_}; }
  /// Gives its words away; the table is then of no more use.
  Texts take_words() { return std::move(words_); }
  /// Makes the hash table as small as `size()` words allow.
  void shrink();

 private:
  void rehash(size_t places);

  Texts words_;
  Bulk<WordSlot> slots_;  // at most half full
};

}  // namespace semblance
