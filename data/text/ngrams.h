// Word n-grams as extra ids, hashed into a fixed number of rows (row 2.8; Joulin et al. 2016, "Bag of tricks
// for efficient text classification").
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "data/fields.h"
#include "data/ragged.h"

namespace semblance {

struct NgramOptions {
  int64_t longest = 1;
  int64_t buckets = 500000;

  /// Extra ids that n-grams take: none where single words are all.
  int64_t rows() const { return longest > 1 ? buckets : 0; }

  template <class Self, class Visit>
  static void fields(Self& self, Visit&& visit) {
    visit("ngrams", self.longest,
          Field{.help = "longest run of words that counts as a feature of its own; 1: words alone",
                .min = 1,
                .max = 10});
    visit("buckets", self.buckets,
          Field{.help = "embedding rows that all runs of two and more words share by hashing",
                .min = 1,
                .max = 1e9});
  }
};

/// Appends the ids of the n-grams of `words`, from 2 words to options.longest, to `ids`; they lie in
/// [first_id, first_id + options.buckets).
void append_ngrams(std::span<const int32_t> words, int32_t first_id, const NgramOptions& options,
                   std::vector<int32_t>& ids);

/// Each row followed by its n-grams.
RaggedIds with_ngrams(RaggedIds texts, int32_t first_id, const NgramOptions& options);

}  // namespace semblance
