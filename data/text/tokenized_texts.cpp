#include "data/text/tokenized_texts.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <unordered_map>

#include "data/parallel.h"

namespace semblance {

TokenizedTexts tokenize(const Texts& texts, const TextPipeline& pipeline, int threads) {
  // Shards are consecutive, so words merged shard by shard are numbered by their first appearance in the
  // whole.
  const int64_t shards = std::clamp<int64_t>(texts.size() / 1024, 1, threads);
  std::vector<TokenizedTexts> parts(static_cast<size_t>(shards));
  parallel_shards(texts.size(), shards, [&](int64_t shard, int64_t begin, int64_t end) {
    auto& part = parts[static_cast<size_t>(shard)];
    part.tokens.offsets.reserve(static_cast<size_t>(end - begin) + 1);
    TokenBuffer buffer;
    for (int64_t row = begin; row < end; ++row) {
      pipeline.tokenize(texts[row], buffer);
      for (const auto token : buffer.tokens) part.tokens.values.push_back(part.words.add(token));
      part.tokens.close_row();
    }
  });

  TokenizedTexts whole = std::move(parts[0]);
  for (size_t p = 1; p < parts.size(); ++p) {
    auto& part = parts[p];
    std::vector<int32_t> renumbered(static_cast<size_t>(part.words.size()));
    for (int32_t id = 0; id < part.words.size(); ++id)
      renumbered[static_cast<size_t>(id)] = whole.words.add(part.words[id]);
    for (int32_t& id : part.tokens.values) id = renumbered[static_cast<size_t>(id)];
    whole.tokens.append(part.tokens);
    parts[p] = {};
  }
  return whole;
}

std::vector<int64_t> TokenizedTexts::count(std::span<const int64_t> rows) const {
  std::vector<int64_t> counts(static_cast<size_t>(words.size()));
  for (const int64_t row : rows)
    for (const int32_t id : tokens[row]) ++counts[static_cast<size_t>(id)];
  return counts;
}

std::vector<int64_t> TokenizedTexts::duplicate_groups() const {
  std::vector<int64_t> groups(static_cast<size_t>(tokens.size()));
  std::unordered_multimap<uint64_t, int64_t> first_rows;
  first_rows.reserve(groups.size());
  for (int64_t row = 0; row < tokens.size(); ++row) {
    const auto ids = tokens[row];
    const uint64_t hash = XXH3_64bits(ids.data(), ids.size_bytes());
    const auto [begin, end] = first_rows.equal_range(hash);
    const auto same =
        std::find_if(begin, end, [&](const auto& e) { return std::ranges::equal(tokens[e.second], ids); });
    groups[static_cast<size_t>(row)] = same == end ? row : same->second;
    if (same == end) first_rows.emplace(hash, row);
  }
  return groups;
}

}  // namespace semblance
