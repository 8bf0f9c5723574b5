#include "data/text/tokenized_texts.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <unordered_map>

#include "data/parallel.h"

namespace semblance {
namespace {

// Ends a text whose words' ids stand in `ids` from `begin` on.
void append_word_runs(size_t begin, const Vocabulary& vocabulary, const NgramOptions& ngrams,
                      std::vector<int32_t>& ids) {
  if (ngrams.longest < 2) return;
  const std::vector<int32_t> words(ids.begin() + static_cast<std::ptrdiff_t>(begin), ids.end());
  append_ngrams(words, vocabulary.size(), ngrams, ids);
}

int32_t first_char_id(const Vocabulary& vocabulary, const NgramOptions& ngrams) {
  return vocabulary.size() + static_cast<int32_t>(ngrams.word_rows());
}

}  // namespace

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
    const auto& part = parts[p];
    std::vector<int32_t> renumbered(static_cast<size_t>(part.words.size()));
    for (int32_t id = 0; id < part.words.size(); ++id)
      renumbered[static_cast<size_t>(id)] = whole.words.add(part.words[id]);
    const auto start = static_cast<int64_t>(whole.tokens.values.size());
    for (const int32_t id : part.tokens.values)
      whole.tokens.values.push_back(renumbered[static_cast<size_t>(id)]);
    for (size_t i = 1; i < part.tokens.offsets.size(); ++i)
      whole.tokens.offsets.push_back(start + part.tokens.offsets[i]);
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

RaggedIds TokenizedTexts::encode(std::span<const int64_t> rows, const Vocabulary& vocabulary,
                                 const NgramOptions& ngrams) const {
  std::vector<int32_t> ids(static_cast<size_t>(words.size()));
  RaggedIds characters;
  for (int32_t i = 0; i < words.size(); ++i) {
    ids[static_cast<size_t>(i)] = vocabulary.id(words[i]);
    append_char_ngrams(words[i], first_char_id(vocabulary, ngrams), ngrams, characters.values);
    characters.close_row();
  }
  RaggedIds encoded;
  encoded.offsets.reserve(rows.size() + 1);
  for (const int64_t row : rows) {
    const size_t begin = encoded.values.size();
    for (const int32_t token : tokens[row])
      if (const int32_t id = ids[static_cast<size_t>(token)]; id >= 0) encoded.values.push_back(id);
    append_word_runs(begin, vocabulary, ngrams, encoded.values);
    if (ngrams.longest_chars > 0)
      for (const int32_t token : tokens[row]) {
        const auto runs = characters[token];
        encoded.values.insert(encoded.values.end(), runs.begin(), runs.end());
      }
    encoded.close_row();
  }
  return encoded;
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

void encode_text(std::string_view text, const TextPipeline& pipeline, const Vocabulary& vocabulary,
                 const NgramOptions& ngrams, TokenBuffer& buffer, std::vector<int32_t>& ids) {
  const size_t begin = ids.size();
  pipeline.tokenize(text, buffer);
  for (const auto token : buffer.tokens)
    if (const int32_t id = vocabulary.id(token); id >= 0) ids.push_back(id);
  append_word_runs(begin, vocabulary, ngrams, ids);
  for (const auto token : buffer.tokens)
    append_char_ngrams(token, first_char_id(vocabulary, ngrams), ngrams, ids);
}

EncodedIds encode_texts(const Texts& texts, const TextPipeline& pipeline, const Vocabulary& vocabulary,
                        const NgramOptions& ngrams, int threads) {
  const int64_t shards = std::clamp<int64_t>(texts.size() / 256, 1, threads);
  std::vector<EncodedIds> parts(static_cast<size_t>(shards));
  parallel_shards(texts.size(), shards, [&](int64_t shard, int64_t begin, int64_t end) {
    auto& part = parts[static_cast<size_t>(shard)];
    TokenBuffer buffer;
    for (int64_t row = begin; row < end; ++row) {
      encode_text(texts[row], pipeline, vocabulary, ngrams, buffer, part.ids.values);
      part.ids.close_row();
      part.tokens += static_cast<int64_t>(buffer.tokens.size());
      for (const auto token : buffer.tokens)
        part.unknown_tokens += vocabulary.id(token) < vocabulary.first_word();
    }
  });
  EncodedIds whole = std::move(parts[0]);
  for (size_t p = 1; p < parts.size(); ++p) {
    const auto start = static_cast<int64_t>(whole.ids.values.size());
    const auto& ids = parts[p].ids;
    whole.ids.values.insert(whole.ids.values.end(), ids.values.begin(), ids.values.end());
    for (size_t i = 1; i < ids.offsets.size(); ++i) whole.ids.offsets.push_back(start + ids.offsets[i]);
    whole.tokens += parts[p].tokens;
    whole.unknown_tokens += parts[p].unknown_tokens;
    parts[p] = {};
  }
  return whole;
}

}  // namespace semblance
