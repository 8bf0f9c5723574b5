#include "data/text/features.h"

#include <algorithm>

#include "data/error.h"
#include "data/parallel.h"

namespace semblance {
TextFeatures::TextFeatures(const TextOptions& text, const NgramOptions& ngrams)
    : pipeline_(text), ngrams_(ngrams) {
  check_ngrams(ngrams);
}

TextFeatures::TextFeatures(TextPipeline pipeline, const NgramOptions& ngrams, Vocabulary vocabulary)
    : pipeline_(std::move(pipeline)), ngrams_(ngrams), vocabulary_(std::move(vocabulary)) {}

TextFeatures TextFeatures::load(const TextOptions& text, const NgramOptions& ngrams, const Files& files,
                                const Json& description, const std::string& source) {
  auto vocabulary = Vocabulary::parse(files.at(kVocabularyFile), source + "/" + kVocabularyFile);
  const auto expected = description.at("vocabulary").get<int32_t>();
  if (vocabulary.size() != expected)
    throw Error(ErrorKind::Model, "{}: expected {} words, found {}", source, expected, vocabulary.size());
  return {TextPipeline(text, description.at("stop_words").get<std::vector<std::string>>()), ngrams,
          std::move(vocabulary)};
}

int32_t TextFeatures::first_char_id() const {
  return vocabulary_.size() + static_cast<int32_t>(ngrams_.word_rows());
}

void TextFeatures::append_word_ngrams(size_t begin, std::vector<int32_t>& ids) const {
  if (ngrams_.longest < 2) return;
  const std::vector<int32_t> words(ids.begin() + static_cast<std::ptrdiff_t>(begin), ids.end());
  append_ngrams(words, vocabulary_.size(), ngrams_, ids);
}

TokenizedTexts TextFeatures::tokenize(const Texts& texts, int threads) const {
  return semblance::tokenize(texts, pipeline_, threads);
}

RaggedIds TextFeatures::encode(const TokenizedTexts& tokens, std::span<const int64_t> rows) const {
  const auto& words = tokens.words;
  std::vector<int32_t> ids(static_cast<size_t>(words.size()));
  RaggedIds characters;
  for (int32_t i = 0; i < words.size(); ++i) {
    ids[static_cast<size_t>(i)] = vocabulary_.id(words[i]);
    append_char_ngrams(words[i], first_char_id(), ngrams_, characters.values);
    characters.close_row();
  }
  RaggedIds encoded;
  encoded.offsets.reserve(rows.size() + 1);
  for (const int64_t row : rows) {
    const size_t begin = encoded.values.size();
    for (const int32_t token : tokens.tokens[row])
      if (const int32_t id = ids[static_cast<size_t>(token)]; id >= 0) encoded.values.push_back(id);
    append_word_ngrams(begin, encoded.values);
    if (ngrams_.longest_chars > 0)
      for (const int32_t token : tokens.tokens[row]) {
        const auto ngrams = characters[token];
        encoded.values.insert(encoded.values.end(), ngrams.begin(), ngrams.end());
      }
    encoded.close_row();
  }
  return encoded;
}

EncodedIds TextFeatures::encode(const Texts& texts, int threads) const {
  const int64_t shards = std::clamp<int64_t>(texts.size() / 256, 1, threads);
  std::vector<EncodedIds> parts(static_cast<size_t>(shards));
  parallel_shards(texts.size(), shards, [&](int64_t shard, int64_t begin, int64_t end) {
    auto& part = parts[static_cast<size_t>(shard)];
    auto& ids = part.ids.values;
    TokenBuffer buffer;
    for (int64_t row = begin; row < end; ++row) {
      const size_t first = ids.size();
      pipeline_.tokenize(texts[row], buffer);
      for (const auto token : buffer.tokens) {
        const int32_t id = vocabulary_.id(token);
        if (id >= 0) ids.push_back(id);
        part.unknown_tokens += id < vocabulary_.first_word();
      }
      append_word_ngrams(first, ids);
      for (const auto token : buffer.tokens) append_char_ngrams(token, first_char_id(), ngrams_, ids);
      part.ids.close_row();
      part.tokens += static_cast<int64_t>(buffer.tokens.size());
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

void TextFeatures::save(Files& files) const {
  files[kVocabularyFile] = vocabulary_.serialize();
}

void TextFeatures::describe(Json& description) const {
  description["stop_words"] = pipeline_.stop_words();
  description["vocabulary"] = vocabulary_.size();
}

}  // namespace semblance
