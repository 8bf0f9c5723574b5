// Questions, their duplicates and other candidates, as they are ranked (row 4.1).
#pragma once

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
};

/// Reads such rows in parts that hold a bounded number of texts: candidates come back in many rows, and each
/// different text of a part is to be encoded once.
class RankingRowReader {
 public:
  RankingRowReader(const std::string& path, BadRows bad_rows)
      : reader_(path, bad_rows, "a question, its duplicate and negatives") {}

  /// The next part, of about `most_texts` different texts (0: all), or false at the end.
  bool next(RankingRows& part, int64_t most_texts = 0);
  const TextRowReader& reader() const { return reader_; }

 private:
  TextRowReader reader_;
};

/// Encoded texts, batched one after another, and the rows in which they are to be ranked.
class RankingDataset {
 public:
  RankingDataset(RaggedIds texts, RaggedIds rows) : texts_(std::move(texts)), rows_(std::move(rows)) {}

  /// Number of texts.
  int64_t size() const { return texts_.size(); }
  TextBatch batch(std::span<const int64_t> texts, uint64_t key) const;
  const RaggedIds& texts() const { return texts_; }
  const RaggedIds& rows() const { return rows_; }

 private:
  RaggedIds texts_, rows_;
};

}  // namespace semblance
