// Hits@K (row 4.1): how high an encoder ranks a question's duplicate among other candidates.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "data/config.h"
#include "data/notice.h"
#include "data/ranking_rows.h"
#include "data/text/term_vectors.h"
#include "training/measures/ranking_options.h"
#include "training/metrics.h"
#include "training/serving/text_encoder.h"

namespace semblance {

/// Measures of the ranks of duplicates; rank 1 is the nearest.
class RankingMetrics {
 public:
  explicit RankingMetrics(const RankingOptions& options);

  /// A row in which `above` candidates are nearer than the duplicate and `equal` others as near.
  void add(int64_t above, int64_t equal);
  /// A row whose duplicate is found at no rank, for want of anything known of it or of the question: no hit,
  /// a reciprocal rank of 0, and the last place among its `candidates` where ranks are averaged.
  void add_not_found(int64_t candidates);

  /// examples, hits and dcg (by K), mrr, mean_rank, median_rank, ties (rows in which another was as near),
  /// tie_policy. DCG@K of one relevant candidate at rank r is 1 / log2(1 + r), or 0 beyond K (Järvelin and
  /// Kekäläinen 2002). The median is of each row's mean rank.
  Json report() const;
  /// Of each row, in the order in which they were added; the mean where it was tied.
  std::span<const double> ranks() const { return ranks_; }

 private:
  RankingOptions options_;
  std::vector<double> hits_, dcg_;
  double reciprocal_ = 0, rank_sum_ = 0;
  int64_t ties_ = 0;
  std::vector<double> ranks_;
};

/// How many rows' question or duplicate has no token that is known.
struct UnknownTexts {
  int64_t queries = 0, duplicates = 0;
};

/// Ranks each row's candidates by their cosine to its question: `vectors` are [texts, dim], float32, on the
/// CPU; `rows` name them. `known`: of each text, whether any of its tokens is; whatever its vector, one
/// without is near to nothing. Cosines that differ by at most 1e-7 are ties.
UnknownTexts rank_rows(const RaggedIdsView& rows, const at::Tensor& vectors, std::span<const char> known,
                       RankingMetrics& metrics);

/// How well similarities follow given scores (row 6.7).
class SimilarityMetrics {
 public:
  void add(double similarity, double score) {
    similarities_.push_back(similarity);
    scores_.push_back(score);
    ++known_;
  }
  /// Of a pair with a text of which nothing is known: it is near to nothing.
  void add_unknown(double score) {
    similarities_.push_back(0);
    scores_.push_back(score);
  }
  /// Pairs of which something is known.
  int64_t known() const { return known_; }
  /// examples, and the Spearman and Pearson correlations of similarities and scores: null where they have
  /// none.
  Json report() const;

 private:
  std::vector<double> similarities_, scores_;
  int64_t known_ = 0;
};

/// Ranking as the trainer's evaluation sees it: the vectors of a dataset's texts, batch by batch. Where the
/// dataset has scores, they are what similarities are measured by.
class RankingMeasure {
 public:
  RankingMeasure(const RankingDataset& data, const RankingOptions& options)
      : data_(data), metrics_(options) {}

  /// vectors: float [batch, dim]; batches come in the dataset's order.
  void add(const at::Tensor& vectors) { vectors_.push_back(vectors.cpu()); }
  /// What RankingMetrics or SimilarityMetrics reports, and empty_queries.
  Metrics result();

 private:
  const RankingDataset& data_;
  RankingMetrics metrics_;
  std::vector<at::Tensor> vectors_;
};

/// How rows outside a training are read.
struct RankedRows {
  RankedRowOptions options;
  uint64_t seed = 1;                   ///< of what is drawn for rows without candidates of their own
  const RowLayout* settled = nullptr;  ///< see recognise_rows

  OtherCandidates candidates() const { return {options.negatives, seed}; }
};

/// The rows whose duplicates are not the nearest, and are found the latest.
class HardestRows {
 public:
  /// Keeps `most` of them.
  explicit HardestRows(int64_t most) : most_(static_cast<size_t>(most)) {}

  /// Rows of `part`, whose texts `encoded` has; `ranks`: one a row.
  void add(const RankingRows& part, const EncodedTexts& encoded, std::span<const double> ranks);
  /// The worst first: question, duplicate and similarity, their cosine; rank, of so many candidates; nearest
  /// and nearest_similarity, of the candidate that is nearest to the question.
  Json report() const;

 private:
  struct Row {
    double rank;
    Json told;
  };
  size_t most_;
  std::vector<Row> rows_;  // the worst first
};

/// Reads rows of question, duplicate, negative 1, negative 2, … and ranks each by cosine; where they have
/// scores, cosines are compared to those. The report also has empty_queries (questions of no known word),
/// coverage (share of the different texts' tokens that is known) and skipped. `progress` is called with the
/// rows done, now and then; `hardest`, if it is given, gets all that are ranked. Throws Error(Data) naming
/// file and line.
Json evaluate_ranking(TextEncoder& encoder, const std::string& path, const RankedRows& how,
                      const RankingOptions& options, const Notice& notice,
                      const std::function<void(int64_t rows)>& progress, HardestRows* hardest = nullptr);

/// The same of rows that were read.
Json evaluate_ranking(TextEncoder& encoder, const RankingRows& rows, const RankingOptions& options,
                      const Notice& notice, HardestRows* hardest);

/// The same by the scores of sparse vectors of terms.
Json evaluate_ranking(const TermVectors& terms, const std::string& path, const RankedRows& how,
                      const RankingOptions& options, const Notice& notice,
                      const std::function<void(int64_t rows)>& progress);

}  // namespace semblance
