#include "data/text/tokenized_texts.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <utility>

#include "data/parallel.h"

namespace semblance {

namespace {

void append_tokens(const Texts& texts, const TextPipeline& pipeline, int threads, TokenizedTexts& whole) {
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
  for (auto& part : parts) {
    if (whole.tokens.size() == 0) {
      whole = std::move(part);
      continue;
    }
    std::vector<int32_t> renumbered(static_cast<size_t>(part.words.size()));
    for (int32_t id = 0; id < part.words.size(); ++id)
      renumbered[static_cast<size_t>(id)] = whole.words.add(part.words[id]);
    for (int32_t& id : part.tokens.values) id = renumbered[static_cast<size_t>(id)];
    whole.tokens.append(part.tokens);
    part = {};
  }
}

}  // namespace

TokenizedTexts tokenize(const Texts& texts, const TextPipeline& pipeline, int threads) {
  TokenizedTexts whole;
  append_tokens(texts, pipeline, threads, whole);
  return whole;
}

void TextTokenizer::add(std::string_view text) {
  constexpr size_t kMostWaiting = size_t{8} << 20;  // bytes: enough for threads to be worth starting
  waiting_.push_back(text);
  if (waiting_.values.size() >= kMostWaiting) tokenize_waiting();
}

void TextTokenizer::tokenize_waiting() {
  append_tokens(waiting_, pipeline_, threads_, whole_);
  waiting_.values.clear();
  waiting_.offsets.resize(1);
}

void TextTokenizer::forget_from(int64_t first) {
  tokenize_waiting();
  auto& tokens = whole_.tokens;
  tokens.offsets.resize(static_cast<size_t>(first) + 1);
  tokens.values.resize(static_cast<size_t>(tokens.offsets.back()));
}

TokenizedTexts TextTokenizer::take() {
  tokenize_waiting();
  waiting_ = {};
  return std::exchange(whole_, {});
}

Bulk<int64_t> TokenizedTexts::count(std::span<const int64_t> rows) const {
  Bulk<int64_t> counts(static_cast<size_t>(words.size()));
  for (const int64_t row : rows)
    for (const int32_t id : tokens[row]) ++counts[static_cast<size_t>(id)];
  return counts;
}

Bulk<int64_t> TokenizedTexts::duplicate_groups() const {
  // A place of the hash table has a row's number, plus 1, and above it bits of the hash of its tokens.
  constexpr int kRowBits = 40;
  constexpr uint64_t kRow = (uint64_t{1} << kRowBits) - 1;
  Bulk<uint64_t> places(std::bit_ceil(static_cast<uint64_t>(tokens.size()) * 3 / 2 + 1));
  Bulk<int64_t> groups(static_cast<size_t>(tokens.size()));
  for (int64_t row = 0; row < tokens.size(); ++row) {
    const auto ids = tokens[row];
    const uint64_t hash = XXH3_64bits(ids.data(), ids.size_bytes());
    for (size_t at = hash & (places.size() - 1);; at = (at + 1) & (places.size() - 1)) {
      const auto known = static_cast<int64_t>(places[at] & kRow) - 1;
      if (known < 0) {
        places[at] = (hash & ~kRow) | static_cast<uint64_t>(row + 1);
        groups[static_cast<size_t>(row)] = row;
        break;
      }
      if (((places[at] ^ hash) & ~kRow) == 0 && std::ranges::equal(tokens[known], ids)) {
        groups[static_cast<size_t>(row)] = known;
        break;
      }
    }
  }
  return groups;
}

}  // namespace semblance
