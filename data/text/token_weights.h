// How much each token of a text counts (row 6.6).
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "data/fields.h"
#include "data/ragged.h"
#include "data/text/word_table.h"

namespace semblance {

enum class TokenWeights { None, Idf };

template <>
struct EnumNames<TokenWeights> {
  static constexpr std::array names{std::pair{TokenWeights::None, "none"},
                                    std::pair{TokenWeights::Idf, "idf"}};
};

inline constexpr Field kTokenWeightsField = {
    .help = "idf: in a text's mean, words and n-grams count the more the fewer training texts have them"};

/// ln((1 + n) / (1 + df)) + 1 for each id below `ids`, where df of the n rows of `texts` have it:
/// scikit-learn's smooth idf. 0 for an id that no text has: n-grams never trained on take no share in a mean.
std::vector<float> inverse_document_frequencies(const RaggedIdsView& texts, int64_t ids);

/// What a word counts in the mean of word vectors. idf: as above, of a word that no text has that of df = 0.
/// sif: a / (a + p), where p is the word's share of all words; Arora, Liang and Ma 2017, "A simple but
/// tough-to-beat baseline for sentence embeddings".
enum class WordWeighting { None, Idf, Sif };

template <>
struct EnumNames<WordWeighting> {
  static constexpr std::array names{std::pair{WordWeighting::None, "none"},
                                    std::pair{WordWeighting::Idf, "idf"},
                                    std::pair{WordWeighting::Sif, "sif"}};
};

/// `add` texts first, then any number of threads may call `of` at once.
class WordWeights {
 public:
  /// `a`: sif's alone.
  explicit WordWeights(WordWeighting weighting, double a = 0) : weighting_(weighting), a_(a) {}

  /// The words of one text.
  void add(const std::vector<std::string_view>& words);
  float of(std::string_view word) const;
  int64_t texts() const { return texts_; }

 private:
  struct Count {
    int64_t texts = 0, occurrences = 0, last_text = -1;
  };

  WordWeighting weighting_;
  double a_;
  WordTable words_;
  std::vector<Count> counts_;  // of each word
  int64_t texts_ = 0, occurrences_ = 0;
};

}  // namespace semblance
