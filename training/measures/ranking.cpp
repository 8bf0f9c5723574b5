#include "training/measures/ranking.h"

#include <algorithm>
#include <cmath>

#include "data/tensors.h"
#include "data/vectors/word_vectors.h"
#include "models/kernels.h"
#include "models/parallel.h"

namespace semblance {
namespace {

// Rows are gathered until their different texts' vectors take so much.
constexpr int64_t kMostVectorBytes = int64_t{256} << 20;

struct Comparison {
  int64_t above = 0, equal = 0;
  bool empty_query = false;
};

// Of the duplicate, which comes first, with the negatives.
Comparison compare(std::span<const float> similarities, bool empty_query) {
  Comparison result{.empty_query = empty_query};
  for (size_t i = 1; i < similarities.size(); ++i) {
    result.above += similarities[i] > similarities[0];
    result.equal += similarities[i] == similarities[0];
  }
  return result;
}

// Ranks rows of text numbers: similarities_of(row, out) writes those of the candidates to the question and
// returns whether the question is empty. `cost`: nanoseconds for a candidate. Returns the empty questions.
template <class Similarities>
int64_t rank(const RaggedIds& rows, double cost, Similarities&& similarities_of, RankingMetrics& metrics) {
  std::vector<Comparison> results(static_cast<size_t>(rows.size()));
  const double row_cost =
      cost * static_cast<double>(rows.values.size()) / static_cast<double>(std::max<int64_t>(1, rows.size()));
  parallel_for(rows.size(), row_cost, [&](int64_t begin, int64_t end) {
    std::vector<float> similarities;
    for (int64_t row = begin; row < end; ++row) {
      similarities.resize(rows[row].size() - 1);
      const bool empty_query = similarities_of(rows[row], similarities);
      results[static_cast<size_t>(row)] = compare(similarities, empty_query);
    }
  });
  int64_t empty_queries = 0;
  for (const auto& result : results) {
    metrics.add(result.above, result.equal);
    empty_queries += result.empty_query;
  }
  return empty_queries;
}

// What ranking a part of a file found.
struct RankedPart {
  int64_t empty_queries = 0, tokens = 0, unknown_tokens = 0;
};

// Reads rows in parts of about `most_texts` different texts and ranks each by rank_part(part, metrics).
template <class RankPart>
Json rank_file(const std::string& path, BadRows bad_rows, int64_t most_texts, const RankingOptions& options,
               const Notice& notice, const std::function<void(int64_t rows)>& progress,
               RankPart&& rank_part) {
  RankingMetrics metrics(options);
  RankingRowReader reader(path, bad_rows);
  RankedPart all;
  for (RankingRows part; reader.next(part, most_texts);) {
    const RankedPart ranked = rank_part(part, metrics);
    all.tokens += ranked.tokens;
    all.unknown_tokens += ranked.unknown_tokens;
    all.empty_queries += ranked.empty_queries;
    progress(reader.reader().report().rows);
  }
  reader.reader().finish(notice);
  if (all.empty_queries > 0)
    notice(fmt::format("warning: {} of {} question(s) have no word that is known", all.empty_queries,
                       reader.reader().report().rows));
  Json report = {{"task", "ranking"}};
  report.update(metrics.report());
  report["empty_queries"] = all.empty_queries;
  report["coverage"] =
      all.tokens > 0 ? 1 - static_cast<double>(all.unknown_tokens) / static_cast<double>(all.tokens) : 0;
  report["skipped"] = reader.reader().report().skipped;
  return report;
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

int64_t rank_rows(const RaggedIds& rows, const at::Tensor& vectors, RankingMetrics& metrics) {
  const int64_t dim = vectors.size(1), different = vectors.size(0);
  const float* values = vectors.const_data_ptr<float>();
  std::vector<float> inverse_norms(static_cast<size_t>(different));
  for (int64_t i = 0; i < different; ++i) {
    const float norm = vector_norm({values + i * dim, static_cast<size_t>(dim)});
    inverse_norms[static_cast<size_t>(i)] = norm > 0 ? 1 / norm : 0;
  }
  // A candidate's similarity does not depend on where it stands, so equal texts are equally near.
  const auto similarities_of = [&](std::span<const int32_t> row, std::vector<float>& similarities) {
    const auto candidates = row.subspan(1);
    kernels::dot_rows(values + row[0] * dim, values, candidates.data(),
                      static_cast<int64_t>(candidates.size()), dim, similarities.data());
    for (size_t i = 0; i < candidates.size(); ++i)
      similarities[i] *= inverse_norms[static_cast<size_t>(candidates[i])];
    return inverse_norms[static_cast<size_t>(row[0])] == 0;
  };
  return rank(rows, 0.2 * static_cast<double>(dim), similarities_of, metrics);
}

Metrics RankingMeasure::result() {
  const auto empty_queries = rank_rows(data_.rows(), concatenate(vectors_).contiguous(), metrics_);
  Metrics metrics;
  metrics.values = metrics_.report();
  metrics.details = {{"empty_queries", empty_queries}};
  return metrics;
}

Json evaluate_ranking(TextEncoder& encoder, const std::string& path, BadRows bad_rows,
                      const RankingOptions& options, const Notice& notice,
                      const std::function<void(int64_t rows)>& progress) {
  const int64_t most_texts = std::max<int64_t>(1024, kMostVectorBytes / (4 * encoder.dim()));
  return rank_file(path, bad_rows, most_texts, options, notice, progress,
                   [&](const RankingRows& part, RankingMetrics& metrics) {
                     const auto encoded = encoder.encode(part.texts);
                     return RankedPart{rank_rows(part.rows, encoded.vectors, metrics), encoded.tokens,
                                       encoded.unknown_tokens};
                   });
}

Json evaluate_ranking(const TermVectors& terms, const std::string& path, BadRows bad_rows,
                      const RankingOptions& options, const Notice& notice,
                      const std::function<void(int64_t rows)>& progress) {
  constexpr int64_t kMostTexts = 100'000;
  constexpr double kTextCost = 5000, kScoreCost = 200;  // nanoseconds
  return rank_file(path, bad_rows, kMostTexts, options, notice, progress,
                   [&](const RankingRows& part, RankingMetrics& metrics) {
                     std::vector<TermVector> texts(static_cast<size_t>(part.texts.size()));
                     parallel_for(part.texts.size(), kTextCost, [&](int64_t begin, int64_t end) {
                       for (int64_t i = begin; i < end; ++i)
                         texts[static_cast<size_t>(i)] = terms.vector(part.texts[i]);
                     });
                     RankedPart ranked;
                     for (const auto& text : texts) {
                       ranked.tokens += text.tokens;
                       ranked.unknown_tokens += text.unknown_tokens;
                     }
                     ranked.empty_queries = rank(
                         part.rows, kScoreCost,
                         [&](std::span<const int32_t> row, std::vector<float>& similarities) {
                           const auto& question = texts[static_cast<size_t>(row[0])];
                           for (size_t i = 0; i < similarities.size(); ++i)
                             similarities[i] = score(question, texts[static_cast<size_t>(row[i + 1])]);
                           return question.terms.empty();
                         },
                         metrics);
                     return ranked;
                   });
}

}  // namespace semblance
