// Pairs of texts to be drawn together: which pairs a row of duplicates gives (row 6.1), and their batches.
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "data/fields.h"
#include "data/ragged.h"

namespace semblance {

enum class PairChoice {
  FirstTwo,       ///< the first text with the second
  FirstWithRest,  ///< the first with each other
  AllPairs,       ///< each with each
};

template <>
struct EnumNames<PairChoice> {
  static constexpr std::array names{std::pair{PairChoice::AllPairs, "all-pairs"},
                                    std::pair{PairChoice::FirstWithRest, "first-with-rest"},
                                    std::pair{PairChoice::FirstTwo, "first-two"}};
};

struct PairOptions {
  PairChoice choice = PairChoice::AllPairs;
  int64_t max_per_row = 0;

  void fields(FieldList& list) {
    list.add("pairs", choice, {.help = "which texts of a row of duplicates make pairs"});
    list.add("max-pairs-per-row", max_per_row,
             {.help = "most pairs of a row, drawn at random; 0: all", .min = 0, .max = 1e9});
  }
};

/// A pair of texts by number, and the group that it belongs to.
struct TextPair {
  int32_t first, second, group;
};

/// How many pairs a row of so many texts makes.
int64_t count_pairs(int64_t texts, const PairOptions& options);

/// The pairs of a row of texts numbered `first` to `end` - 1, appended; what is drawn depends on `key` alone.
void append_pairs(int32_t first, int32_t end, int32_t group, const PairOptions& options, uint64_t key,
                  Bulk<TextPair>& pairs);

/// The row of each row's group, for `starts` as in TextRows: rows that have a text in common, by
/// `text_groups` (equal texts have equal numbers), are of one group, and so are rows that hang together
/// through others. A group is named by its first row.
Bulk<int64_t> group_rows(std::span<const int64_t> starts, std::span<const int64_t> text_groups);

struct PairBatch {
  at::Tensor ids;      ///< int64 [n]: all texts' ids one after another
  at::Tensor offsets;  ///< int64 [2 · batch + negatives + 1]: first the pairs' first texts, then their second
                       ///< ones, then hard negatives
  at::Tensor groups;   ///< int64 [batch]; undefined where all are different
  at::Tensor owners;   ///< int64 [negatives]: the pair of each hard negative, ascending; undefined in a
                       ///< dataset without any
  at::Tensor scores;   ///< float [batch]: the cosine that each pair is to have; undefined where none is given

  PairBatch to(c10::Device device) const;
};

/// What the pairs of a group have beside themselves. Either is empty where there is nothing of its kind.
struct PairExtras {
  FrozenIds negatives;   ///< of each group: texts by number
  Frozen<float> scores;  ///< of each group
};

class PairDataset {
 public:
  /// `pairs` name rows of `texts`.
  PairDataset(FrozenIds texts, Frozen<TextPair> pairs, PairExtras extra = {})
      : texts_(std::move(texts)), pairs_(std::move(pairs)), extra_(std::move(extra)) {}

  int64_t size() const { return static_cast<int64_t>(pairs_.size()); }
  PairBatch batch(std::span<const int64_t> pairs, uint64_t key) const;
  const FrozenIds& texts() const { return texts_; }
  const Frozen<TextPair>& pairs() const { return pairs_; }
  const PairExtras& extra() const { return extra_; }

 private:
  FrozenIds texts_;
  Frozen<TextPair> pairs_;
  PairExtras extra_;
};

}  // namespace semblance
