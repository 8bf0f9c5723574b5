#include "training/tasks/start_vectors.h"

#include <c10/core/GradMode.h>

#include <algorithm>
#include <tuple>
#include <vector>

#include "data/error.h"
#include "data/text/features.h"
#include "training/run_training.h"
#include "training/serving/fasttext.h"
#include "training/serving/served_model.h"
#include "training/tasks/open_words.h"

namespace semblance {

StartVectors::StartVectors(const StartOptions& options, BadRows bad_rows, const RunRequest& request)
    : options_(options) {
  if (options.vectors.empty()) {
    if (options.freeze)
      throw Error(ErrorKind::Usage, "--freeze: expected --vectors, which are to be kept, found none");
    if (!options.oov.empty()) throw Error(ErrorKind::Usage, "--oov: expected --vectors, found none");
    return;
  }
  if (const auto& point = request.resume_point) {
    const auto source = request.run.checkpoint_path(point->name).string();
    build_model(source, [&] {
      const auto& [info, files] = std::tie(point->checkpoint.model_info, point->checkpoint.files);
      constexpr auto kFile = TextFeatures::kVocabularyFile;
      // Not told where --dim is given.
      dim_ = info.contains("dim") ? whole_number_in(info, "dim", 1, INT32_MAX) : 0;
      resumed_words_ = Vocabulary::parse(files.at(kFile), source + "/" + kFile);
      resumed_report_ = info.value("vectors", Json());
      if (const auto pieces = files.find(TextFeatures::kTokenizerFile); pieces != files.end())
        word_piece_ = std::make_shared<const WordPiece>(pieces->second, source + "/" + pieces->first);
    });
    return;
  }
  if (encodes_words(options.vectors, request.notice)) {
    if (!options.oov.empty())
      throw Error(ErrorKind::Usage,
                  "--oov: expected --vectors to lack words, found {}, a run that makes a vector for any",
                  options.vectors);
    encoder_ = open_word_encoder(options.vectors, 0, request.notice);
    dim_ = encoder_->dim();
    return;
  }
  table_ = open_word_vectors(options.vectors, {.limit = options.limit, .bad_rows = bad_rows}, request.notice,
                             &word_piece_);
  dim_ = table_->dim();
  encoder_ = options.oov.empty() ? open_fasttext_words(options.vectors)
                                 : open_word_encoder(options.oov, dim_, request.notice);
}

void StartVectors::choose_tokenizer(Job& job, TextOptions& text, const RunRequest& request) const {
  if (!word_piece_ || request.mode == RunMode::Resume) return;
  text.tokenizer = Tokenizer::WordPiece;
  if (request.given) request.given(job);
  request.notice(
      fmt::format("{}: its words are pieces, which texts are cut into unless --tokenizer says otherwise",
                  options_.vectors));
}

int64_t StartVectors::dim(int64_t chosen, int64_t otherwise) const {
  if (dim_ == 0) return chosen > 0 ? chosen : otherwise;
  if (chosen > 0 && chosen != dim_)
    throw Error(ErrorKind::Usage, "--dim: expected {}, as {} has, found {}", dim_, options_.vectors, chosen);
  return dim_;
}

Vocabulary StartVectors::vocabulary(TokenizedTexts& tokens, std::span<const int64_t> texts,
                                    const VocabularyOptions& options) const {
  auto counts = tokens.count(texts);
  const auto add = [&](std::string_view given) {
    const auto word = static_cast<size_t>(tokens.words.add(given));
    if (word >= counts.size()) counts.resize(word + 1);
    counts[word] = std::max(counts[word], options.min_count);
  };
  if (options_.vector_words) {
    for (int64_t id = 0; table_ && id < table_->size(); ++id) add(table_->word(id));
    // A checkpoint's words stand for the vectors that they came from: with the same texts they make the same
    // vocabulary.
    for (int32_t id = resumed_words_.first_word(); id < resumed_words_.size(); ++id)
      add(resumed_words_.word(id));
  }
  return Vocabulary(tokens.words, counts, options);
}

Json StartVectors::fill(const Vocabulary& vocabulary, const RaggedIdsView& texts, at::Tensor& embedding,
                        const Notice& notice) {
  if (!table_ && !encoder_) return resumed_report_;
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
  table_.reset();
  encoder_.reset();
  const int64_t all = vocabulary.size() - vocabulary.first_word();
  const auto share = [](int64_t part, int64_t of) {
    return of > 0 ? static_cast<double>(part) / static_cast<double>(of) : 0.0;
  };
  const double of_words = share(known_words, words), of_tokens = share(known_tokens, tokens);
  notice(fmt::format(
      "{} of {} words start from {}, {} of them from their n-grams; of the training texts {:.1f} % "
      "of the words and {:.1f} % of the tokens",
      filled, all, options_.vectors, from_ngrams, 100 * of_words, 100 * of_tokens));
  return {{"words", words},
          {"known_words", known_words},
          {"tokens", tokens},
          {"known_tokens", known_tokens},
          {"coverage", {{"words", of_words}, {"tokens", of_tokens}}},
          {"from_ngrams", from_ngrams},
          {"fresh", all - filled}};
}

}  // namespace semblance
