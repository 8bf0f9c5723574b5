// Texts as sparse vectors of their terms, words or n-grams, without a model: TF-IDF and BM25 (row 6.6).
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "data/fields.h"
#include "data/ragged.h"
#include "data/text/text_pipeline.h"
#include "data/text/word_table.h"

namespace semblance {

/// TF-IDF as scikit-learn's TfidfVectorizer has it: tf · (ln((1 + n) / (1 + df)) + 1), of length 1. BM25:
/// Robertson and Zaragoza 2009, "The probabilistic relevance framework: BM25 and beyond", with Lucene's idf,
/// ln(1 + (n - df + ½) / (df + ½)), k1 = 1.2 and b = 0.75.
enum class TermWeighting { TfIdf, Bm25 };

template <>
struct EnumNames<TermWeighting> {
  static constexpr std::array names{std::pair{TermWeighting::TfIdf, "tfidf"},
                                    std::pair{TermWeighting::Bm25, "bm25"}};
};

struct TermOptions {
  TermWeighting weighting = TermWeighting::TfIdf;
  int64_t ngrams = 1;
  int64_t char_ngrams = 0;
  int64_t shortest_chars = 2;

  void fields(FieldList& list) {
    list.add("weighting", weighting, {.help = "tfidf: the cosine of TF-IDF vectors; bm25: Okapi BM25"});
    list.add("ngrams", ngrams, {.help = "terms are word n-grams up to so many words", .min = 1, .max = 10});
    list.add(
        "char-ngrams", char_ngrams,
        {.help = "terms are character n-grams up to this length instead, within words between blanks; 0: "
                 "words",
         .min = 0,
         .max = 32});
    list.add("min-char-ngrams", shortest_chars, {.help = "shortest of them", .min = 1, .max = 32});
  }
};

/// A text's terms: those of the fitted texts, each once, ascending.
struct TermVector {
  std::vector<int32_t> terms;
  std::vector<float> query, document;      ///< their weights in a question and in what it is compared with
  int64_t tokens = 0, unknown_tokens = 0;  ///< terms of the text as often as they occur
};

/// `fit` first, then any number of threads may call `vector` at once.
class TermVectors {
 public:
  /// `pipeline` is to outlive it. Throws Error(Usage) where the shortest n-gram is longer than the longest.
  TermVectors(const TextPipeline& pipeline, const TermOptions& options);

  /// Counts the terms of a document.
  void fit(std::string_view text);
  int64_t documents() const { return documents_; }
  int64_t terms() const { return terms_.size(); }
  double idf(int32_t term) const;
  int32_t find(std::string_view term) const { return terms_.find(term); }
  /// Of well-formed UTF-8.
  TermVector vector(std::string_view text) const;

 private:
  template <class Visit>
  void for_each_term(std::string_view text, Visit&& visit) const;

  const TextPipeline& pipeline_;
  TermOptions options_;
  WordTable terms_;
  std::vector<int64_t> frequencies_, last_document_;  // of each term
  int64_t documents_ = 0, occurrences_ = 0;
};

/// The sum of the products of the question's and the document's weights.
float score(const TermVector& question, const TermVector& document);

}  // namespace semblance
