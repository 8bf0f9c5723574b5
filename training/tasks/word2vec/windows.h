// Which words of a text are trained on, and which are around them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "data/ragged.h"
#include "data/random.h"
#include "training/tasks/word2vec/job.h"

namespace semblance {

/// Words that subsampling left, in order.
struct KeptWords {
  std::vector<int32_t> ids;
  std::vector<int32_t> sentences;  ///< of each, which sentence it stands in
};

/// Subsampling and windows as in the original word2vec. Never changes once made.
class Windows {
 public:
  /// `counts`: of each id in the corpus.
  Windows(std::span<const int64_t> counts, const WindowOptions& options);

  /// Draws which of words [begin, end) of `sentences` stay, the most frequent least often.
  void keep(const RaggedIds& sentences, int64_t begin, int64_t end, RandomStream& random,
            KeptWords& kept) const;

  struct Span {
    size_t begin, end;
  };
  /// The words around word `centre`, itself among them.
  Span around(const KeptWords& kept, size_t centre, RandomStream& random) const;

 private:
  WindowOptions options_;
  std::vector<float> chances_;  // of each id to stay
};

}  // namespace semblance
