#include "data/text/word_table.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <bit>
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

// The place of `word`, or the free one where it belongs; the number of places if there is neither.
size_t locate(const WordIndex& index, std::string_view word, uint64_t hash) {
  const size_t mask = index.slots.size() - 1;
  size_t i = hash & mask;
  for (size_t probes = 0; probes <= mask; ++probes, i = (i + 1) & mask) {
    const WordSlot& slot = index.slots[i];
    if (slot.id < 0 || (slot.tag == tag_of(hash) && index[slot.id] == word)) return i;
  }
  return index.slots.size();
}

}  // namespace

std::string_view WordIndex::operator[](int32_t id) const {
  const auto i = static_cast<size_t>(id);
  if (id < 0 || i + 1 >= offsets.size()) return {};
  const int64_t begin = offsets[i], end = offsets[i + 1];
  if (begin < 0 || end < begin || end > static_cast<int64_t>(bytes.size())) return {};
  return {bytes.data() + begin, static_cast<size_t>(end - begin)};
}

int32_t WordIndex::find(std::string_view word) const {
  const size_t place = locate(*this, word, hash_of(word));
  return place < slots.size() && slots[place].id < size() ? slots[place].id : -1;
}

WordTable::WordTable() : slots_(1 << 10) {}

int32_t WordTable::add(std::string_view word) {
  const uint64_t hash = hash_of(word);
  size_t i = locate(index(), word, hash);
  if (slots_[i].id >= 0) return slots_[i].id;
  if (size() >= std::numeric_limits<int32_t>::max() - 1)
    throw Error(ErrorKind::Data, "expected at most {} different words, found more", size());
  if (slots_.size() < 2 * (static_cast<size_t>(size()) + 1)) {
    rehash(slots_.size() * 4);
    i = locate(index(), word, hash);
  }
  slots_[i] = {tag_of(hash), size()};
  words_.push_back(word);
  return slots_[i].id;
}

void WordTable::shrink() {
  rehash(std::bit_ceil(2 * static_cast<size_t>(size()) + 2));
}

void WordTable::rehash(size_t places) {
  slots_.assign(places, WordSlot{});
  const size_t mask = slots_.size() - 1;
  for (int32_t id = 0; id < size(); ++id) {
    const uint64_t hash = hash_of(words_[id]);
    size_t i = hash & mask;
    while (slots_[i].id >= 0) i = (i + 1) & mask;
    slots_[i] = {tag_of(hash), id};
  }
}

}  // namespace semblance
