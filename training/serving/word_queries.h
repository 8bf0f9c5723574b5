// Questions to word vectors (row 3.2), answered as gensim's KeyedVectors answers them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/vectors/word_vectors.h"
#include "models/nearest.h"

namespace semblance {

/// Known words to add and to subtract; given words are no answers.
struct WordQuery {
  std::vector<int64_t> positive, negative;
};

/// Every unknown word is an error unless a function says otherwise: Error(Data) naming it. Any number of
/// threads may ask at once.
class WordQueries {
 public:
  /// `vectors` is to outlive it.
  explicit WordQueries(const WordVectors& vectors);

  const WordVectors& vectors() const { return vectors_; }
  int64_t id(std::string_view word) const;
  /// Cosine of two words' vectors.
  double similarity(std::string_view a, std::string_view b) const;
  /// For each query the `top` words nearest to the mean of its positive unit vectors minus the negative ones;
  /// among the first `restrict_vocabulary` words (0: all).
  std::vector<std::vector<Neighbor>> most_similar(std::span<const WordQuery> queries, int64_t top,
                                                  int64_t restrict_vocabulary = 0) const;
  /// The words nearest to each vector, [queries, dim] one after another.
  std::vector<std::vector<Neighbor>> nearest_to(std::span<const float> vectors, int64_t top) const;
  /// The word of the lowest cosine to the mean of all the words' unit vectors; of equals the first in the
  /// order of their bytes. Unknown words do not count; throws if fewer than one is known.
  std::string odd_one_out(std::span<const std::string> words) const;
  /// The word of the list nearest to `word`; of equals the first.
  std::string closest(std::string_view word, std::span<const std::string> words) const;

 private:
  const WordVectors& vectors_;
};

}  // namespace semblance
