// Words numbered in the order of their first appearance: a hash table over one block of memory, several times
// faster than a map of strings on the hundred million look-ups that encoding a corpus takes.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "data/ragged.h"

namespace semblance {

class WordTable {
 public:
  WordTable();

  /// Number of different words.
  int32_t size() const { return static_cast<int32_t>(words_.size()); }
  std::string_view operator[](int32_t id) const { return words_[id]; }

  /// The id of `word`, added if it is new. Throws Error(Data) past 2^31 - 2 words.
  int32_t add(std::string_view word);
  /// The id of `word`, or -1.
  int32_t find(std::string_view word) const;

 private:
  struct Slot {
    uint32_t tag = 0;  // upper half of the word's hash
    int32_t id = -1;
  };

  size_t locate(std::string_view word, uint64_t hash) const;
  void grow();

  Texts words_;
  std::vector<Slot> slots_;  // open addressing, linear probing, at most half full
};

}  // namespace semblance
