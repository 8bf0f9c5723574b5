#include "training/tasks/start_vectors.h"

#include <c10/core/GradMode.h>

#include <algorithm>
#include <vector>

#include "data/error.h"
#include "training/tasks/open_words.h"

namespace semblance {

StartVectors::StartVectors(const StartOptions& options, BadRows bad_rows, const Notice& notice)
    : options_(options) {
  if (options.vectors.empty()) {
    if (options.freeze)
      throw Error(ErrorKind::Usage, "--freeze: expected --vectors, which are to be kept, found none");
    if (!options.oov.empty()) throw Error(ErrorKind::Usage, "--oov: expected --vectors, found none");
    return;
  }
  if (encodes_words(options.vectors)) {
    encoder_ = open_word_encoder(options.vectors, 0);
    return;
  }
  table_ = open_word_vectors(options.vectors, {.limit = options.limit, .bad_rows = bad_rows}, notice);
  if (!options.oov.empty()) encoder_ = open_word_encoder(options.oov, table_->dim());
}

int64_t StartVectors::dim(int64_t chosen, int64_t otherwise) const {
  if (!given()) return chosen > 0 ? chosen : otherwise;
  const int64_t dim = table_ ? table_->dim() : encoder_->dim();
  if (chosen > 0 && chosen != dim)
    throw Error(ErrorKind::Usage, "--dim: expected {}, as {} has, found {}", dim, options_.vectors, chosen);
  return dim;
}

Vocabulary StartVectors::vocabulary(TokenizedTexts& tokens, std::span<const int64_t> texts,
                                    const VocabularyOptions& options) const {
  auto counts = tokens.count(texts);
  for (int64_t id = 0; table_ && options_.vector_words && id < table_->size(); ++id) {
    const auto word = static_cast<size_t>(tokens.words.add(table_->word(id)));
    if (word >= counts.size()) counts.resize(word + 1);
    counts[word] = std::max(counts[word], options.min_count);
  }
  return Vocabulary(tokens.words, counts, options);
}

Json StartVectors::fill(const Vocabulary& vocabulary, const RaggedIds& texts, at::Tensor& embedding,
                        const Notice& notice) const {
  const c10::NoGradGuard no_gradient;
  std::vector<int64_t> counts(static_cast<size_t>(vocabulary.size()));
  for (const int32_t id : texts.values)
    if (id >= vocabulary.first_word() && id < vocabulary.size()) ++counts[static_cast<size_t>(id)];
  auto rows = embedding.to(at::kCPU);
  auto* to = rows.mutable_data_ptr<float>();
  const auto dim = static_cast<size_t>(embedding.size(1));
  int64_t filled = 0, words = 0, known_words = 0, tokens = 0, known_tokens = 0, from_ngrams = 0;
  std::vector<float> made(dim);
  for (int32_t id = vocabulary.first_word(); id < vocabulary.size(); ++id) {
    const auto row = to + static_cast<size_t>(id) * dim;
    const int64_t place = table_ ? table_->find(vocabulary.word(id)) : -1;
    bool known = place >= 0;
    if (known) {
      std::ranges::copy(table_->vector(place), row);
    } else if (encoder_ && encoder_->encode(vocabulary.word(id), made)) {
      std::ranges::copy(made, row);
      known = true;
      ++from_ngrams;
    }
    filled += known;
    const int64_t count = counts[static_cast<size_t>(id)];
    words += count > 0;
    known_words += count > 0 && known;
    tokens += count;
    known_tokens += known ? count : 0;
  }
  if (!embedding.is_cpu()) embedding.copy_(rows);
  const auto share = [](int64_t part, int64_t all) {
    return all > 0 ? 100 * static_cast<double>(part) / static_cast<double>(all) : 0.0;
  };
  notice(
      fmt::format("{} of {} words start from given vectors; of the training texts {:.1f} % of the words and "
                  "{:.1f} % of the tokens",
                  filled, vocabulary.size() - vocabulary.first_word(), share(known_words, words),
                  share(known_tokens, tokens)));
  return {{"words", words},
          {"known_words", known_words},
          {"tokens", tokens},
          {"known_tokens", known_tokens},
          {"from_ngrams", from_ngrams}};
}

}  // namespace semblance
