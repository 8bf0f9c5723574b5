#include "data/text/ngrams.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <string>

#include "data/random.h"
#include "data/text/unicode.h"

namespace semblance {
namespace {

int32_t bucket(uint64_t hash, int32_t first_id, int64_t buckets) {
  return first_id + static_cast<int32_t>(hash % static_cast<uint64_t>(buckets));
}

}  // namespace

void append_ngrams(std::span<const int32_t> words, int32_t first_id, const NgramOptions& options,
                   std::vector<int32_t>& ids) {
  for (size_t i = 0; i < words.size(); ++i) {
    uint64_t hash = static_cast<uint64_t>(words[i]);
    for (size_t j = i + 1; j < words.size() && j < i + static_cast<size_t>(options.longest); ++j) {
      hash = mix(hash, static_cast<uint64_t>(words[j]));
      ids.push_back(bucket(hash, first_id, options.buckets));
    }
  }
}

void append_char_ngrams(std::string_view word, int32_t first_id, const NgramOptions& options,
                        std::vector<int32_t>& ids) {
  if (options.longest_chars == 0) return;
  const std::string marked = '<' + std::string(word) + '>';
  std::vector<size_t> starts;  // of each character, and the end
  for (size_t position = 0; position < marked.size();) {
    starts.push_back(position);
    decode_utf8(marked, position);
  }
  starts.push_back(marked.size());
  const size_t characters = starts.size() - 1;
  const auto shortest = static_cast<size_t>(options.shortest_chars);
  const auto longest = static_cast<size_t>(options.longest_chars);
  for (size_t first = 0; first < characters; ++first)
    for (size_t length = shortest; length <= longest && first + length <= characters; ++length) {
      const bool mark_alone = length == 1 && (first == 0 || first + 1 == characters);
      if (mark_alone) continue;
      const size_t begin = starts[first];
      const uint64_t hash = XXH3_64bits(marked.data() + begin, starts[first + length] - begin);
      ids.push_back(bucket(hash, first_id, options.char_buckets));
    }
}

}  // namespace semblance
