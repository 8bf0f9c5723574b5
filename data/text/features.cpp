#include "data/text/features.h"

#include <algorithm>
#include <utility>

#include "data/error.h"
#include "data/parallel.h"
#include "data/text/fasttext_hash.h"

namespace semblance {
namespace {

// Calls encode(begin, end, part) for consecutive shards of `size` texts, and joins their parts in order.
template <class Part, class Encode>
std::vector<Part> encode_shards(int64_t size, int threads, Encode&& encode) {
  constexpr int64_t kLeast = 256;  // texts that are worth a thread
  const int64_t shards = std::clamp<int64_t>(size / kLeast, 1, threads);
  std::vector<Part> parts(static_cast<size_t>(shards));
  parallel_shards(size, shards, [&](int64_t shard, int64_t begin, int64_t end) {
    encode(begin, end, parts[static_cast<size_t>(shard)]);
  });
  return parts;
}

}  // namespace

TextFeatures::TextFeatures(const TextOptions& text, const NgramOptions& ngrams,
                           std::shared_ptr<const WordPiece> pieces)
    : pipeline_(text, std::move(pieces)) {
  set_ngrams(ngrams);
}

void TextFeatures::set_ngrams(const NgramOptions& ngrams) {
  check_ngrams(ngrams);
  ngrams_ = ngrams;
  ngram_rows_ = NgramRows::all(ngrams.all_buckets());
}

TextFeatures::TextFeatures(TextPipeline pipeline, const NgramOptions& ngrams, Vocabulary vocabulary)
    : pipeline_(std::move(pipeline)),
      ngrams_(ngrams),
      vocabulary_(std::move(vocabulary)),
      ngram_rows_(NgramRows::all(ngrams.all_buckets())) {}

TextFeatures TextFeatures::load(const TextOptions& text, const NgramOptions& ngrams, const Files& files,
                                const Json& description, const std::string& source) {
  auto vocabulary = Vocabulary::parse(files.at(kVocabularyFile), source + "/" + kVocabularyFile);
  const auto expected = description.at("vocabulary").get<int32_t>();
  if (vocabulary.size() != expected)
    throw Error(ErrorKind::Model, "{}: expected {} words, found {}", source, expected, vocabulary.size());
  std::shared_ptr<const WordPiece> pieces;
  if (text.tokenizer == Tokenizer::WordPiece)
    pieces = std::make_shared<const WordPiece>(files.at(kTokenizerFile), source + "/" + kTokenizerFile);
  TextFeatures features{
      TextPipeline(text, description.at("stop_words").get<std::vector<std::string>>(), std::move(pieces)),
      ngrams, std::move(vocabulary)};
  if (features.chooses_ngram_rows())
    features.ngram_rows_ =
        NgramRows::parse(ngrams.all_buckets(), files.at(kNgramRowsFile), source + "/" + kNgramRowsFile);
  return features;
}

void TextFeatures::name_rows(size_t begin, Bulk<int32_t>& ids) const {
  const int32_t first = vocabulary_.size();
  auto out = ids.begin() + static_cast<std::ptrdiff_t>(begin);
  for (size_t i = begin; i < ids.size(); ++i)
    if (const int32_t row = ngram_rows_.row(ids[i]); row >= 0) *out++ = first + row;
  ids.erase(out, ids.end());
}

void TextFeatures::append_word_ngrams(size_t begin, Bulk<int32_t>& hashes, Bulk<int32_t>& ids) const {
  if (ngrams_.longest < 2) return;
  if (hashes_words())
    hashes.push_back(static_cast<int32_t>(fasttext_hash(kFastTextLineEnd)));
  else
    hashes.assign(ids.begin() + static_cast<std::ptrdiff_t>(begin), ids.end());
  const size_t end = ids.size();
  append_ngrams(hashes, 0, ngrams_, ids);
  name_rows(end, ids);
  hashes.clear();
}

void TextFeatures::append_char_ngrams(std::string_view word, Bulk<int32_t>& ids) const {
  const size_t end = ids.size();
  semblance::append_char_ngrams(word, static_cast<int32_t>(ngrams_.word_buckets()), ngrams_, ids);
  name_rows(end, ids);
}

TokenizedTexts TextFeatures::tokenize(const Texts& texts, int threads) const {
  return semblance::tokenize(texts, pipeline_, threads);
}

RaggedIds TextFeatures::encode(const TokenizedTexts& tokens, std::span<const int64_t> rows,
                               int threads) const {
  const auto& words = tokens.words;
  Bulk<int32_t> ids(static_cast<size_t>(words.size())), hash_of(hashes_words() ? ids.size() : 0);
  RaggedIds characters;
  for (int32_t i = 0; i < words.size(); ++i) {
    ids[static_cast<size_t>(i)] = vocabulary_.id(words[i]);
    if (hashes_words()) hash_of[static_cast<size_t>(i)] = static_cast<int32_t>(fasttext_hash(words[i]));
    append_char_ngrams(words[i], characters.values);
    characters.close_row();
  }
  const auto append = [&](std::span<const int64_t> chosen, RaggedIds& part) {
    part.offsets.reserve(chosen.size() + 1);
    Bulk<int32_t> hashes;
    for (const int64_t row : chosen) {
      const auto text = tokens.tokens[row];
      const size_t begin = part.values.size();
      for (const int32_t token : text) {
        if (const int32_t id = ids[static_cast<size_t>(token)]; id >= 0) part.values.push_back(id);
        if (!hash_of.empty()) hashes.push_back(hash_of[static_cast<size_t>(token)]);
      }
      append_word_ngrams(begin, hashes, part.values);
      for (const int32_t token : text) {
        const auto ngrams = characters[token];
        part.values.insert(part.values.end(), ngrams.begin(), ngrams.end());
      }
      part.close_row();
    }
  };
  constexpr size_t kAtOnce = 1 << 15;  // rows: what their parts take besides the whole is bounded
  RaggedIds encoded;
  encoded.offsets.reserve(rows.size() + 1);
  for (size_t first = 0; first < rows.size(); first += kAtOnce) {
    const auto chosen = rows.subspan(first, std::min(kAtOnce, rows.size() - first));
    const auto parts = encode_shards<RaggedIds>(
        static_cast<int64_t>(chosen.size()), threads, [&](int64_t begin, int64_t end, RaggedIds& part) {
          append(chosen.subspan(static_cast<size_t>(begin), static_cast<size_t>(end - begin)), part);
        });
    for (const auto& part : parts) encoded.append(part);
  }
  return encoded;
}

RaggedIds TextFeatures::fit(const TokenizedTexts& tokens, std::span<const int64_t> rows, int threads) {
  ngram_rows_ = NgramRows::all(ngrams_.all_buckets());
  auto encoded = encode(tokens, rows, threads);
  if (!chooses_ngram_rows()) return encoded;
  const int32_t first = vocabulary_.size();
  ngram_rows_ = NgramRows(ngrams_.all_buckets(), encoded.values, first, ngrams_.min_count);
  size_t kept = 0, i = 0;
  for (size_t row = 1; row < encoded.offsets.size(); ++row) {
    for (; i < static_cast<size_t>(encoded.offsets[row]); ++i) {
      const int32_t id = encoded.values[i];
      const int32_t ngram = id < first ? 0 : ngram_rows_.row(id - first);
      if (ngram >= 0) encoded.values[kept++] = id < first ? id : first + ngram;
    }
    encoded.offsets[row] = static_cast<int64_t>(kept);
  }
  encoded.values.resize(kept);
  encoded.values.shrink_to_fit();
  return encoded;
}

void TextFeatures::share_ngram_rows(std::span<const int32_t> kept) {
  ngram_rows_ = ngram_rows_.share_all_but(kept);
  ngrams_.min_count = std::max<int64_t>(ngrams_.min_count, 1);
}

EncodedIds TextFeatures::encode(const Texts& texts, int threads) const {
  auto parts =
      encode_shards<EncodedIds>(texts.size(), threads, [&](int64_t first, int64_t last, EncodedIds& part) {
        auto& ids = part.ids.values;
        TokenBuffer buffer;
        Bulk<int32_t> hashes;
        for (int64_t row = first; row < last; ++row) {
          const size_t begin = ids.size();
          pipeline_.tokenize(texts[row], buffer);
          for (const auto token : buffer.tokens) {
            const int32_t id = vocabulary_.id(token);
            if (id >= 0) ids.push_back(id);
            if (hashes_words()) hashes.push_back(static_cast<int32_t>(fasttext_hash(token)));
            part.unknown_tokens += id < vocabulary_.first_word();
          }
          append_word_ngrams(begin, hashes, ids);
          for (const auto token : buffer.tokens) append_char_ngrams(token, ids);
          part.ids.close_row();
          part.tokens += static_cast<int64_t>(buffer.tokens.size());
        }
      });
  for (size_t p = 1; p < parts.size(); ++p) {
    parts[0].ids.append(std::exchange(parts[p].ids, {}));
    parts[0].tokens += parts[p].tokens;
    parts[0].unknown_tokens += parts[p].unknown_tokens;
  }
  return std::move(parts[0]);
}

void TextFeatures::save(Files& files) const {
  files[kVocabularyFile] = vocabulary_.serialize();
  if (chooses_ngram_rows()) files[kNgramRowsFile] = ngram_rows_.serialize();
  if (const auto& pieces = pipeline_.word_piece()) files[kTokenizerFile] = pieces->serialize();
}

void TextFeatures::describe(Json& description) const {
  description["stop_words"] = pipeline_.stop_words();
  description["vocabulary"] = vocabulary_.size();
}

}  // namespace semblance
