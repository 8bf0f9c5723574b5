// Pairs of words that stand together more often than chance has it, joined to one word: Mikolov et al. 2013,
// "Distributed representations of words and phrases and their compositionality", section 4.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "data/fields.h"
#include "data/text/word_table.h"

namespace semblance {

struct PhraseOptions {
  int64_t passes = 0;
  double threshold = 100;
  int64_t min_count = 5;

  void fields(FieldList& list) {
    list.add("phrases", passes,
             {.help = "passes that join pairs of words to phrases such as new_york before the training; each "
                      "may lengthen those of the one before",
              .min = 0,
              .max = 10});
    list.add("phrase-threshold", threshold,
             {.help = "least score of a phrase: (pairs - phrase-min-count) / (first words · second words) · "
                      "words",
              .min = 0,
              .max = 1e12});
    list.add("phrase-min-count", min_count,
             {.help = "join pairs alone that occur more often, of words that do as often", .min = 1});
  }
};

/// The phrases that one pass found, as one joined word each.
class Phrases {
 public:
  /// Joins in `tokens`, from left to right, each pair that is a phrase. The new views point into this object.
  void join(std::vector<std::string_view>& tokens) const;
  int64_t size() const { return joined_.size(); }

 private:
  friend class PhraseCounter;
  WordTable joined_;
};

/// Counts words and pairs of neighbours in fixed memory: when there are too many pairs, the rarest go, as in
/// the original word2phrase.
class PhraseCounter {
 public:
  static constexpr size_t kMostPairs = size_t{1} << 22;

  explicit PhraseCounter(size_t most_pairs = kMostPairs) : most_pairs_(most_pairs) {}

  /// A sentence.
  void add(const std::vector<std::string_view>& tokens);
  Phrases choose(const PhraseOptions& options) const;

 private:
  size_t most_pairs_;
  WordTable words_;
  std::vector<int64_t> counts_;
  std::unordered_map<uint64_t, int64_t> pairs_;
  int64_t total_ = 0;
  int64_t dropped_ = 0;  // pairs that occur so often are dropped next
};

}  // namespace semblance
