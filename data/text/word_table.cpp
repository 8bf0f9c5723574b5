#include "data/text/word_table.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <limits>

#include "data/error.h"

namespace semblance {
namespace {

uint64_t hash_of(std::string_view word) {
  return XXH3_64bits(word.data(), word.size());
}
uint32_t tag_of(uint64_t hash) {
  return static_cast<uint32_t>(hash >> 32);
}

}  // namespace

WordTable::WordTable() : slots_(1 << 10) {}

size_t WordTable::locate(std::string_view word, uint64_t hash) const {
  const size_t mask = slots_.size() - 1;
  for (size_t i = hash & mask;; i = (i + 1) & mask) {
    const Slot& slot = slots_[i];
    if (slot.id < 0 || (slot.tag == tag_of(hash) && words_[slot.id] == word)) return i;
  }
}

int32_t WordTable::find(std::string_view word) const {
  return slots_[locate(word, hash_of(word))].id;
}

int32_t WordTable::add(std::string_view word) {
  const uint64_t hash = hash_of(word);
  size_t i = locate(word, hash);
  if (slots_[i].id >= 0) return slots_[i].id;
  if (size() >= std::numeric_limits<int32_t>::max() - 1)
    throw Error(ErrorKind::Data, "expected at most {} different words, found more", size());
  if (slots_.size() < 2 * (static_cast<size_t>(size()) + 1)) {
    grow();
    i = locate(word, hash);
  }
  slots_[i] = {tag_of(hash), size()};
  words_.push_back(word);
  return slots_[i].id;
}

void WordTable::grow() {
  slots_.assign(slots_.size() * 4, Slot{});
  const size_t mask = slots_.size() - 1;
  for (int32_t id = 0; id < size(); ++id) {
    const uint64_t hash = hash_of(words_[id]);
    size_t i = hash & mask;
    while (slots_[i].id >= 0) i = (i + 1) & mask;
    slots_[i] = {tag_of(hash), id};
  }
}

}  // namespace semblance
