#include "data/text/ngrams.h"

#include "data/random.h"

namespace semblance {

void append_ngrams(std::span<const int32_t> words, int32_t first_id, const NgramOptions& options,
                   std::vector<int32_t>& ids) {
  for (size_t i = 0; i < words.size(); ++i) {
    uint64_t hash = static_cast<uint64_t>(words[i]);
    for (size_t j = i + 1; j < words.size() && j < i + static_cast<size_t>(options.longest); ++j) {
      hash = mix(hash, static_cast<uint64_t>(words[j]));
      ids.push_back(first_id + static_cast<int32_t>(hash % static_cast<uint64_t>(options.buckets)));
    }
  }
}

RaggedIds with_ngrams(RaggedIds texts, int32_t first_id, const NgramOptions& options) {
  if (options.longest < 2) return texts;
  RaggedIds all;
  all.offsets.reserve(texts.offsets.size());
  for (int64_t row = 0; row < texts.size(); ++row) {
    const auto words = texts[row];
    all.values.insert(all.values.end(), words.begin(), words.end());
    append_ngrams(words, first_id, options, all.values);
    all.close_row();
  }
  return all;
}

}  // namespace semblance
