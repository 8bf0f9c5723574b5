#include "training/tasks/word2vec/windows.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace semblance {

Windows::Windows(std::span<const int64_t> counts, const WindowOptions& options)
    : options_(options), chances_(counts.size(), 1.0f) {
  const auto total = static_cast<double>(std::accumulate(counts.begin(), counts.end(), int64_t{0}));
  for (size_t id = 0; options.sample > 0 && id < counts.size(); ++id) {
    if (counts[id] == 0) continue;
    // Not the paper's formula, but the program's, which everybody uses.
    const double excess = static_cast<double>(counts[id]) / (options.sample * total);
    chances_[id] = static_cast<float>(std::min(1.0, (std::sqrt(excess) + 1) / excess));
  }
}

void Windows::keep(const RaggedIds& sentences, int64_t begin, int64_t end, RandomStream& random,
                   KeptWords& kept) const {
  kept.ids.clear();
  kept.sentences.clear();
  const auto& offsets = sentences.offsets;
  auto sentence = static_cast<size_t>(std::ranges::upper_bound(offsets, begin) - offsets.begin()) - 1;
  for (int64_t i = begin; i < end; ++i) {
    while (offsets[sentence + 1] <= i) ++sentence;
    const int32_t id = sentences.values[static_cast<size_t>(i)];
    const float chance = chances_[static_cast<size_t>(id)];
    if (chance < 1 && static_cast<float>(random.next() >> 40) * 0x1p-24f >= chance) continue;
    kept.ids.push_back(id);
    kept.sentences.push_back(static_cast<int32_t>(sentence));
  }
}

Windows::Span Windows::around(const KeptWords& kept, size_t centre, RandomStream& random) const {
  const auto reach = static_cast<size_t>(
      options_.dynamic ? 1 + static_cast<int64_t>(random.below(static_cast<uint64_t>(options_.window)))
                       : options_.window);
  size_t begin = centre > reach ? centre - reach : 0;
  size_t end = std::min(centre + reach + 1, kept.ids.size());
  while (kept.sentences[begin] != kept.sentences[centre]) ++begin;
  while (kept.sentences[end - 1] != kept.sentences[centre]) --end;
  return {begin, end};
}

}  // namespace semblance
