#include "data/text/term_vectors.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "data/error.h"
#include "data/text/ngrams.h"

namespace semblance {

TermVectors::TermVectors(const TextPipeline& pipeline, const TermOptions& options)
    : pipeline_(pipeline), options_(options) {
  if (options.char_ngrams > 0 && options.shortest_chars > options.char_ngrams)
    throw Error(ErrorKind::Usage, "--min-char-ngrams: expected at most --char-ngrams, which is {}, found {}",
                options.char_ngrams, options.shortest_chars);
  if (options.char_ngrams > 0 && options.ngrams > 1)
    throw Error(ErrorKind::Usage, "--ngrams: expected 1 with --char-ngrams, found {}", options.ngrams);
}

template <class Visit>
void TermVectors::for_each_term(std::string_view text, Visit&& visit) const {
  TokenBuffer buffer;
  pipeline_.tokenize(text, buffer);
  const auto& tokens = buffer.tokens;
  if (options_.char_ngrams > 0) {
    const auto shortest = static_cast<size_t>(options_.shortest_chars);
    for (const auto token : tokens) {
      // A word too short for any n-gram is a term as it stands.
      const size_t characters = count_characters(token) + 2;
      for_each_char_ngram(token, ' ', ' ', std::min(shortest, characters),
                          static_cast<size_t>(options_.char_ngrams), visit);
    }
    return;
  }
  std::string term;
  for (size_t first = 0; first < tokens.size(); ++first) {
    term.clear();
    for (size_t last = first; last < std::min(tokens.size(), first + static_cast<size_t>(options_.ngrams));
         ++last) {
      if (last > first) term += ' ';
      term += tokens[last];
      visit(std::string_view(term));
    }
  }
}

void TermVectors::fit(std::string_view text) {
  for_each_term(text, [&](std::string_view term) {
    const auto id = static_cast<size_t>(terms_.add(term));
    if (id == frequencies_.size()) {
      frequencies_.push_back(0);
      last_document_.push_back(-1);
    }
    ++occurrences_;
    if (last_document_[id] == documents_) return;
    last_document_[id] = documents_;
    ++frequencies_[id];
  });
  ++documents_;
}

double TermVectors::idf(int32_t term) const {
  const auto n = static_cast<double>(documents_);
  const auto df = static_cast<double>(frequencies_[static_cast<size_t>(term)]);
  return options_.weighting == TermWeighting::TfIdf ? std::log((1 + n) / (1 + df)) + 1
                                                    : std::log(1 + (n - df + 0.5) / (df + 0.5));
}

TermVector TermVectors::vector(std::string_view text) const {
  TermVector vector;
  std::vector<int32_t> ids;
  for_each_term(text, [&](std::string_view term) {
    ++vector.tokens;
    if (const int32_t id = terms_.find(term); id >= 0) ids.push_back(id);
  });
  vector.unknown_tokens = vector.tokens - static_cast<int64_t>(ids.size());
  std::ranges::sort(ids);
  constexpr double kSaturation = 1.2, kLengthShare = 0.75;  // k1 and b
  const double mean_length = static_cast<double>(occurrences_) / static_cast<double>(documents_);
  const double slowness =
      kSaturation * (1 - kLengthShare + kLengthShare * static_cast<double>(vector.tokens) / mean_length);
  double squares = 0;
  for (auto at = ids.begin(); at != ids.end();) {
    const auto next = std::find_if(at, ids.end(), [&](int32_t id) { return id != *at; });
    const auto tf = static_cast<double>(next - at);
    const bool bm25 = options_.weighting == TermWeighting::Bm25;
    const double weight = bm25 ? idf(*at) * tf * (kSaturation + 1) / (tf + slowness) : idf(*at) * tf;
    vector.terms.push_back(*at);
    vector.query.push_back(static_cast<float>(bm25 ? tf : weight));
    vector.document.push_back(static_cast<float>(weight));
    squares += weight * weight;
    at = next;
  }
  if (options_.weighting == TermWeighting::TfIdf && squares > 0) {
    const auto length = static_cast<float>(std::sqrt(squares));
    for (auto* weights : {&vector.query, &vector.document})
      for (auto& weight : *weights) weight /= length;
  }
  return vector;
}

float score(const TermVector& question, const TermVector& document) {
  double sum = 0;
  for (size_t q = 0, d = 0; q < question.terms.size() && d < document.terms.size();) {
    if (question.terms[q] == document.terms[d])
      sum += static_cast<double>(question.query[q]) * static_cast<double>(document.document[d]);
    const int32_t asked = question.terms[q], found = document.terms[d];
    q += asked <= found;
    d += found <= asked;
  }
  return static_cast<float>(sum);
}

}  // namespace semblance
