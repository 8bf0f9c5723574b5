#include "training/measures/ranking.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "data/tensors.h"
#include "data/vectors/word_vectors.h"
#include "models/kernels.h"
#include "models/nearest.h"
#include "models/parallel.h"
#include "training/measures/correlation.h"

namespace semblance {
namespace {

// Rows are gathered until their different texts' vectors take so much.
constexpr int64_t kMostVectorBytes = int64_t{256} << 20;

// Cosines that differ by no more are as near as float32 vectors can tell.
constexpr double kEqualCosines = 1e-7;

struct Comparison {
  int64_t above = 0, equal = 0;
  bool unknown_query = false, unknown_duplicate = false;
};

// Of the duplicate, which comes first, with the negatives. What nothing is known of is near to nothing.
template <class Known>
Comparison compare(std::span<const int32_t> row, std::span<const float> similarities, const Known& known) {
  Comparison result{.unknown_query = !known(row[0]), .unknown_duplicate = !known(row[1])};
  for (size_t i = 1; i < similarities.size(); ++i) {
    if (!known(row[i + 1])) continue;
    result.above += similarities[i] > similarities[0];
    result.equal += similarities[i] == similarities[0];
  }
  return result;
}

// Ranks rows of text numbers: known(text) says whether anything is known of a text, similarities_of(row, out)
// writes those of the candidates to the question. `cost`: nanoseconds for a candidate.
template <class Known, class Similarities>
UnknownTexts rank(const RaggedIdsView& rows, double cost, const Known& known, Similarities&& similarities_of,
                  RankingMetrics& metrics) {
  std::vector<Comparison> results(static_cast<size_t>(rows.size()));
  const double row_cost =
      cost * static_cast<double>(rows.values.size()) / static_cast<double>(std::max<int64_t>(1, rows.size()));
  parallel_for(rows.size(), row_cost, [&](int64_t begin, int64_t end) {
    std::vector<float> similarities;
    for (int64_t row = begin; row < end; ++row) {
      similarities.resize(rows[row].size() - 1);
      similarities_of(rows[row], similarities);
      results[static_cast<size_t>(row)] = compare(rows[row], similarities, known);
    }
  });
  UnknownTexts unknown;
  for (int64_t row = 0; row < rows.size(); ++row) {
    const auto& result = results[static_cast<size_t>(row)];
    if (result.unknown_query || result.unknown_duplicate)
      metrics.add_not_found(rows.length(row) - 1);
    else
      metrics.add(result.above, result.equal);
    unknown.queries += result.unknown_query;
    unknown.duplicates += result.unknown_duplicate;
  }
  return unknown;
}

// The similarity of each row's two texts, by similarity(a, b), beside its score; nothing is near to a text of
// which nothing is known.
template <class Known, class Similarity>
UnknownTexts compare_with_scores(const RaggedIdsView& rows, std::span<const double> scores,
                                 const Known& known, const Similarity& similarity,
                                 SimilarityMetrics& metrics) {
  UnknownTexts unknown;
  for (int64_t row = 0; row < rows.size(); ++row) {
    const int32_t a = rows[row][0], b = rows[row][1];
    const double score = scores[static_cast<size_t>(row)];
    if (known(a) && known(b))
      metrics.add(static_cast<double>(similarity(a, b)), score);
    else
      metrics.add_unknown(score);
    unknown.queries += !known(a);
    unknown.duplicates += !known(b);
  }
  return unknown;
}

UnknownTexts compare_vectors_with_scores(const RaggedIdsView& rows, std::span<const double> scores,
                                         const at::Tensor& vectors, std::span<const char> known,
                                         SimilarityMetrics& metrics) {
  const auto vector = [&](int32_t text) {
    return std::span(vectors.const_data_ptr<float>() + text * vectors.size(1),
                     static_cast<size_t>(vectors.size(1)));
  };
  return compare_with_scores(
      rows, scores, [&](int32_t text) { return known[static_cast<size_t>(text)] != 0; },
      [&](int32_t a, int32_t b) { return cosine(vector(a), vector(b)); }, metrics);
}

// What is measured of a file's rows: ranks, or how similarities follow scores.
struct RowMetrics {
  RankingMetrics ranks;
  SimilarityMetrics scores;
};

// What ranking a part of a file found.
struct RankedPart {
  UnknownTexts unknown;
  int64_t tokens = 0, unknown_tokens = 0;
};

RankedPart rank_part(TextEncoder& encoder, const RankingRows& part, RowMetrics& metrics,
                     HardestRows* hardest) {
  const auto encoded = encoder.encode(part.texts);
  RankedPart ranked{.unknown = {}, .tokens = encoded.tokens, .unknown_tokens = encoded.unknown_tokens};
  if (!part.scores.empty()) {
    ranked.unknown =
        compare_vectors_with_scores(part.rows, part.scores, encoded.vectors, encoded.known, metrics.scores);
    return ranked;
  }
  ranked.unknown = rank_rows(part.rows, encoded.vectors, encoded.known, metrics.ranks);
  if (hardest) hardest->add(part, encoded, metrics.ranks.ranks().last(static_cast<size_t>(part.rows.size())));
  return ranked;
}

void tell_unknown(const UnknownTexts& unknown, int64_t rows, const Notice& notice) {
  for (const auto& [count, what] :
       {std::pair{unknown.queries, "question"}, std::pair{unknown.duplicates, "duplicate"}})
    if (count > 0)
      notice(fmt::format("warning: {} of {} {}(s) have no word that is known, and are near to nothing", count,
                         rows, what));
}

Json report_ranking(const RowMetrics& metrics, bool scored, const RankedPart& all, int64_t skipped) {
  Json report = {{"task", "ranking"}};
  report.update(scored ? metrics.scores.report() : metrics.ranks.report());
  report["empty_queries"] = all.unknown.queries;
  report["coverage"] =
      all.tokens > 0 ? 1 - static_cast<double>(all.unknown_tokens) / static_cast<double>(all.tokens) : 0;
  report["skipped"] = skipped;
  return report;
}

// Reads rows in parts of about `most_texts` different texts and ranks each by rank_next(part, metrics).
template <class RankPart>
Json rank_file(const std::string& path, const RankedRows& how, int64_t most_texts,
               const RankingOptions& options, const Notice& notice,
               const std::function<void(int64_t rows)>& progress, RankPart&& rank_next) {
  RowMetrics metrics{RankingMetrics(options), {}};
  RankingRowReader reader(path, how.options.file, how.candidates(), how.settled);
  RankedPart all;
  for (RankingRows part; reader.next(part, most_texts);) {
    const RankedPart ranked = rank_next(part, metrics);
    all.tokens += ranked.tokens;
    all.unknown_tokens += ranked.unknown_tokens;
    all.unknown.queries += ranked.unknown.queries;
    all.unknown.duplicates += ranked.unknown.duplicates;
    progress(reader.rows());
  }
  reader.finish(notice);
  if (reader.scored() && metrics.scores.known() < 2)
    throw Error(ErrorKind::Data,
                "{}: expected two pairs at least of texts with a word that is known, found {}", path,
                metrics.scores.known());
  tell_unknown(all.unknown, reader.rows(), notice);
  return report_ranking(metrics, reader.scored(), all, reader.skipped());
}

}  // namespace

RankingMetrics::RankingMetrics(const RankingOptions& options)
    : options_(options), hits_(options.k.size()), dcg_(options.k.size()) {
  if (options.k.empty()) throw Error(ErrorKind::Usage, "--k: expected numbers such as 1,5,10, found none");
  std::ranges::sort(options_.k);
  const auto repeated = std::ranges::unique(options_.k);
  options_.k.erase(repeated.begin(), repeated.end());
}

void RankingMetrics::add(int64_t above, int64_t equal) {
  // The ranks that the duplicate may have, each as likely as the others.
  const int64_t first = options_.ties == Ties::Pessimistic ? above + equal + 1 : above + 1;
  const int64_t last = options_.ties == Ties::Optimistic ? above + 1 : above + equal + 1;
  const double share = 1 / static_cast<double>(last - first + 1);
  for (int64_t rank = first; rank <= last; ++rank) {
    const auto r = static_cast<double>(rank);
    reciprocal_ += share / r;
    for (size_t i = 0; i < options_.k.size(); ++i)
      if (rank <= options_.k[i]) {
        hits_[i] += share;
        dcg_[i] += share / std::log2(1 + r);
      }
  }
  ranks_.push_back(static_cast<double>(first + last) / 2);
  rank_sum_ += ranks_.back();
  ties_ += equal > 0;
}

void RankingMetrics::add_not_found(int64_t candidates) {
  ranks_.push_back(static_cast<double>(candidates));
  rank_sum_ += ranks_.back();
}

Json RankingMetrics::report() const {
  const auto n = static_cast<double>(ranks_.size());
  Json hits = Json::object(), dcg = Json::object();
  for (size_t i = 0; i < options_.k.size(); ++i) {
    hits[std::to_string(options_.k[i])] = hits_[i] / n;
    dcg[std::to_string(options_.k[i])] = dcg_[i] / n;
  }
  auto sorted = ranks_;
  std::ranges::sort(sorted);
  const size_t middle = sorted.size() / 2;
  const double median = sorted.empty()           ? std::nan("")
                        : sorted.size() % 2 == 1 ? sorted[middle]
                                                 : (sorted[middle - 1] + sorted[middle]) / 2;
  return {{"examples", ranks_.size()},
          {"hits", hits},
          {"mrr", reciprocal_ / n},
          {"dcg", dcg},
          {"mean_rank", rank_sum_ / n},
          {"median_rank", median},
          {"ties", ties_},
          {"tie_policy", enum_name(options_.ties)}};
}

UnknownTexts rank_rows(const RaggedIdsView& rows, const at::Tensor& vectors, std::span<const char> known,
                       RankingMetrics& metrics) {
  const int64_t dim = vectors.size(1), different = vectors.size(0);
  const float* values = vectors.const_data_ptr<float>();
  std::vector<float> norms(static_cast<size_t>(different)), inverse_norms(static_cast<size_t>(different));
  for (int64_t i = 0; i < different; ++i) {
    const float norm = vector_norm({values + i * dim, static_cast<size_t>(dim)});
    norms[static_cast<size_t>(i)] = norm;
    inverse_norms[static_cast<size_t>(i)] = norm > 0 ? 1 / norm : 0;
  }
  const auto vector = [&](int32_t text) { return std::span(values + text * dim, static_cast<size_t>(dim)); };
  // Only where a candidate is about as near as the duplicate does float32 not do.
  constexpr float kAbout = 1e-4f, kInfinity = std::numeric_limits<float>::infinity();
  const auto similarities_of = [&](std::span<const int32_t> row, std::vector<float>& similarities) {
    const auto candidates = row.subspan(1);
    kernels::dot_rows(values + row[0] * dim, values, candidates.data(),
                      static_cast<int64_t>(candidates.size()), dim, similarities.data());
    for (size_t i = 0; i < candidates.size(); ++i)
      similarities[i] *= inverse_norms[static_cast<size_t>(candidates[i])];
    const float margin = kAbout * norms[static_cast<size_t>(row[0])], duplicate = similarities[0];
    std::optional<double> exact;
    for (size_t i = 1; i < candidates.size(); ++i) {
      if (std::abs(similarities[i] - duplicate) > margin) continue;
      if (!exact) exact = cosine(vector(row[0]), vector(candidates[0]));
      const double difference = cosine(vector(row[0]), vector(candidates[i])) - *exact;
      similarities[i] = std::abs(difference) <= kEqualCosines
                            ? duplicate
                            : std::nextafter(duplicate, difference > 0 ? kInfinity : -kInfinity);
    }
  };
  const auto is_known = [&](int32_t text) { return known[static_cast<size_t>(text)] != 0; };
  return rank(rows, 0.2 * static_cast<double>(dim), is_known, similarities_of, metrics);
}

void HardestRows::add(const RankingRows& part, const EncodedTexts& encoded, std::span<const double> ranks) {
  std::vector<int64_t> order;
  for (int64_t row = 0; row < part.rows.size(); ++row)
    if (ranks[static_cast<size_t>(row)] > 1) order.push_back(row);
  std::ranges::stable_sort(order, std::greater(),
                           [&](int64_t row) { return ranks[static_cast<size_t>(row)]; });
  order.resize(std::min(order.size(), most_));
  const int64_t dim = encoded.vectors.size(1);
  const auto similarity = [&](int32_t a, int32_t b) -> double {
    const auto vector = [&](int32_t text) {
      return std::span(encoded.vectors.const_data_ptr<float>() + text * dim, static_cast<size_t>(dim));
    };
    const auto known = [&](int32_t text) { return encoded.known[static_cast<size_t>(text)] != 0; };
    return known(a) && known(b) ? cosine(vector(a), vector(b)) : 0;
  };
  for (const int64_t row : order) {
    const auto texts = part.rows[row];
    const auto candidates = texts.subspan(1);
    const auto nearest =
        *std::ranges::max_element(candidates, {}, [&](int32_t text) { return similarity(texts[0], text); });
    rows_.push_back({ranks[static_cast<size_t>(row)],
                     {{"question", part.texts[texts[0]]},
                      {"duplicate", part.texts[texts[1]]},
                      {"similarity", similarity(texts[0], texts[1])},
                      {"rank", ranks[static_cast<size_t>(row)]},
                      {"candidates", candidates.size()},
                      {"nearest", part.texts[nearest]},
                      {"nearest_similarity", similarity(texts[0], nearest)}}});
  }
  std::ranges::stable_sort(rows_, std::greater(), &Row::rank);
  rows_.resize(std::min(rows_.size(), most_));
}

Json HardestRows::report() const {
  Json list = Json::array();
  for (const auto& row : rows_) list.push_back(row.told);
  return list;
}

Json SimilarityMetrics::report() const {
  return {{"examples", scores_.size()},
          {"spearman", number_or_null(spearman(similarities_, scores_))},
          {"pearson", number_or_null(pearson(similarities_, scores_))}};
}

Metrics RankingMeasure::result() {
  const auto& texts = data_.texts();
  std::vector<char> known(static_cast<size_t>(texts.size()));
  for (int64_t text = 0; text < texts.size(); ++text)
    known[static_cast<size_t>(text)] = texts.length(text) > 0;
  const auto vectors = concatenate(vectors_).contiguous();
  Metrics metrics;
  UnknownTexts unknown;
  if (data_.scores().empty()) {
    unknown = rank_rows(data_.rows(), vectors, known, metrics_);
    metrics.values = metrics_.report();
  } else {
    SimilarityMetrics scores;
    unknown = compare_vectors_with_scores(data_.rows(), data_.scores(), vectors, known, scores);
    metrics.values = scores.report();
  }
  metrics.details = {{"empty_queries", unknown.queries}};
  return metrics;
}

Json evaluate_ranking(TextEncoder& encoder, const std::string& path, const RankedRows& how,
                      const RankingOptions& options, const Notice& notice,
                      const std::function<void(int64_t rows)>& progress, HardestRows* hardest) {
  const int64_t most_texts = std::max<int64_t>(1024, kMostVectorBytes / (4 * encoder.dim()));
  return rank_file(path, how, most_texts, options, notice, progress,
                   [&](const RankingRows& part, RowMetrics& metrics) {
                     return rank_part(encoder, part, metrics, hardest);
                   });
}

Json evaluate_ranking(TextEncoder& encoder, const RankingRows& rows, const RankingOptions& options,
                      const Notice& notice, HardestRows* hardest) {
  RowMetrics metrics{RankingMetrics(options), {}};
  const auto ranked = rank_part(encoder, rows, metrics, hardest);
  tell_unknown(ranked.unknown, rows.rows.size(), notice);
  return report_ranking(metrics, !rows.scores.empty(), ranked, 0);
}

Json evaluate_ranking(const TermVectors& terms, const std::string& path, const RankedRows& how,
                      const RankingOptions& options, const Notice& notice,
                      const std::function<void(int64_t rows)>& progress) {
  constexpr int64_t kMostTexts = 100'000;
  constexpr double kTextCost = 5000, kScoreCost = 200;  // nanoseconds
  return rank_file(
      path, how, kMostTexts, options, notice, progress, [&](const RankingRows& part, RowMetrics& metrics) {
        std::vector<TermVector> texts(static_cast<size_t>(part.texts.size()));
        parallel_for(part.texts.size(), kTextCost, [&](int64_t begin, int64_t end) {
          for (int64_t i = begin; i < end; ++i) texts[static_cast<size_t>(i)] = terms.vector(part.texts[i]);
        });
        RankedPart ranked;
        for (const auto& text : texts) {
          ranked.tokens += text.tokens;
          ranked.unknown_tokens += text.unknown_tokens;
        }
        const auto known = [&](int32_t text) { return !texts[static_cast<size_t>(text)].terms.empty(); };
        const auto similarity = [&](int32_t a, int32_t b) {
          return score(texts[static_cast<size_t>(a)], texts[static_cast<size_t>(b)]);
        };
        const auto similarities_of = [&](std::span<const int32_t> row, std::vector<float>& similarities) {
          for (size_t i = 0; i < similarities.size(); ++i) similarities[i] = similarity(row[0], row[i + 1]);
        };
        ranked.unknown = part.scores.empty()
                             ? rank(part.rows, kScoreCost, known, similarities_of, metrics.ranks)
                             : compare_with_scores(part.rows, part.scores, known, similarity, metrics.scores);
        return ranked;
      });
}

}  // namespace semblance
