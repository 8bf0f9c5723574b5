#include "data/text/ngrams.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "data/error.h"
#include "data/random.h"
#include "data/text/fasttext_hash.h"

namespace semblance {
namespace {

int32_t bucket(uint64_t hash, int32_t first_id, int64_t buckets) {
  return first_id + static_cast<int32_t>(hash % static_cast<uint64_t>(buckets));
}

}  // namespace

void check_ngrams(const NgramOptions& options) {
  if (options.longest_chars > 0 && options.shortest_chars > options.longest_chars)
    throw Error(ErrorKind::Usage, "--min-char-ngrams: expected at most --char-ngrams, {}, found {}",
                options.longest_chars, options.shortest_chars);
}

void append_ngrams(std::span<const int32_t> words, int32_t first_id, const NgramOptions& options,
                   Bulk<int32_t>& ids) {
  for (size_t i = 0; i < words.size(); ++i) {
    uint64_t hash = static_cast<uint64_t>(words[i]);
    for (size_t j = i + 1; j < words.size() && j < i + static_cast<size_t>(options.longest); ++j) {
      const auto next = static_cast<uint64_t>(words[j]);
      hash = options.hash == NgramHash::FastText ? hash * 116049371 + next : mix(hash, next);
      ids.push_back(bucket(hash, first_id, options.buckets));
    }
  }
}

void append_char_ngrams(std::string_view word, int32_t first_id, const NgramOptions& options,
                        Bulk<int32_t>& ids) {
  if (options.longest_chars == 0) return;
  for_each_char_ngram(
      word, '<', '>', static_cast<size_t>(options.shortest_chars), static_cast<size_t>(options.longest_chars),
      [&](std::string_view ngram) {
        ids.push_back(options.hash == NgramHash::FastText
                          ? bucket(fasttext_hash(ngram), first_id, options.buckets)
                          : bucket(XXH3_64bits(ngram.data(), ngram.size()), first_id, options.char_buckets));
      });
}

}  // namespace semblance
