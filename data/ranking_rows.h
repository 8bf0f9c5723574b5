// Questions, their duplicates and other candidates, as they are ranked (row 4.1).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "data/batch.h"
#include "data/ragged.h"
#include "data/readers/text_rows.h"

namespace semblance {

/// Each row names its texts by number: question, duplicate, negative 1, negative 2, …
struct RankingRows {
  Texts texts;  ///< all different
  RaggedIds rows;
  Bulk<double> scores;  ///< of rows of two texts, where they are not to be ranked but have scores
};

/// The candidates of a row that has none of its own: the duplicates of other rows.
struct OtherCandidates {
  int64_t most;   ///< so many are drawn at random where there are more
  uint64_t seed;  ///< what is drawn depends on it alone
};

/// Rows of question and duplicate by text number, and other pairs' duplicates after them: not those of the
/// pair's own group (`groups` has one for each pair), which are no wrong answers. A pair that has no
/// candidate then is left out: it would be found whatever the vectors. `own`: further candidates of each
/// pair, if it is not empty.
RaggedIds rank_among_others(std::span<const std::array<int32_t, 2>> pairs, std::span<const int64_t> groups,
                            const OtherCandidates& candidates, const RaggedIds& own = {});

/// Reads such rows in parts that hold a bounded number of texts: candidates come back in many rows, and each
/// different text of a part is to be encoded once. Rows of two texts come last, in one part: they are ranked
/// among each other, those that have a text in common (through others too) set aside.
class RankingRowReader {
 public:
  /// See TextRowReader.
  RankingRowReader(const std::string& path, const RowFileOptions& options, const OtherCandidates& candidates,
                   const RowLayout* settled = nullptr)
      : reader_(path, options, RowKind::Ranked, settled), candidates_(candidates) {}

  /// The next part, of about `most_texts` different texts (0: all), or false at the end.
  bool next(RankingRows& part, int64_t most_texts = 0);
  /// Rows read so far.
  int64_t rows() const { return reader_.report().rows; }
  int64_t skipped() const { return reader_.report().skipped; }
  /// Whether the rows have scores.
  bool scored() const { return reader_.layout().score.has_value(); }
  /// Tells of what was left out and repaired, and of what rows were ranked among; throws Error(Data) if there
  /// was no row to rank.
  void finish(const Notice& notice) const;

 private:
  bool next_pairs(RankingRows& part);

  TextRowReader reader_;
  OtherCandidates candidates_;
  Texts pairs_;  // of rows of two texts, one after the other
  int64_t ranked_ = 0, among_others_ = 0, left_out_ = 0;
};

/// Encoded texts, batched one after another, and the rows in which they are to be ranked.
class RankingDataset {
 public:
  /// `scores`: as in RankingRows.
  RankingDataset(FrozenIds texts, FrozenIds rows, Frozen<double> scores = {})
      : texts_(std::move(texts)), rows_(std::move(rows)), scores_(std::move(scores)) {}

  /// Number of texts.
  int64_t size() const { return texts_.size(); }
  TextBatch batch(std::span<const int64_t> texts, uint64_t key) const;
  const FrozenIds& texts() const { return texts_; }
  const FrozenIds& rows() const { return rows_; }
  const Frozen<double>& scores() const { return scores_; }

 private:
  FrozenIds texts_, rows_;
  Frozen<double> scores_;
};

}  // namespace semblance
