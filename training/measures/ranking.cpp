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

// A row (question, duplicate, negatives) by the numbers of its texts. A candidate's similarity does not
// depend on where it stands, so equal texts are equally near.
Comparison compare(std::span<const int32_t> row, const float* vectors,
                   const std::vector<float>& inverse_norms, int64_t dim, std::vector<float>& similarities) {
  const auto candidates = row.subspan(1);
  similarities.resize(candidates.size());
  kernels::dot_rows(vectors + row[0] * dim, vectors, candidates.data(),
                    static_cast<int64_t>(candidates.size()), dim, similarities.data());
  for (size_t i = 0; i < candidates.size(); ++i)
    similarities[i] *= inverse_norms[static_cast<size_t>(candidates[i])];
  Comparison result{.empty_query = inverse_norms[static_cast<size_t>(row[0])] == 0};
  for (size_t i = 1; i < similarities.size(); ++i) {
    result.above += similarities[i] > similarities[0];
    result.equal += similarities[i] == similarities[0];
  }
  return result;
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
  std::vector<Comparison> results(static_cast<size_t>(rows.size()));
  const double cost = 0.2 * static_cast<double>(rows.values.size()) * static_cast<double>(dim) /
                      static_cast<double>(std::max<int64_t>(1, rows.size()));
  parallel_for(rows.size(), cost, [&](int64_t begin, int64_t end) {
    std::vector<float> similarities;
    for (int64_t row = begin; row < end; ++row)
      results[static_cast<size_t>(row)] = compare(rows[row], values, inverse_norms, dim, similarities);
  });
  int64_t empty_queries = 0;
  for (const auto& result : results) {
    metrics.add(result.above, result.equal);
    empty_queries += result.empty_query;
  }
  return empty_queries;
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
  RankingMetrics metrics(options);
  RankingRowReader reader(path, bad_rows);
  int64_t empty_queries = 0, tokens = 0, unknown = 0;
  const int64_t most_texts = std::max<int64_t>(1024, kMostVectorBytes / (4 * encoder.dim()));
  for (RankingRows part; reader.next(part, most_texts);) {
    const auto encoded = encoder.encode(part.texts);
    tokens += encoded.tokens;
    unknown += encoded.unknown_tokens;
    empty_queries += rank_rows(part.rows, encoded.vectors, metrics);
    progress(reader.reader().report().rows);
  }
  reader.reader().finish(notice);
  if (empty_queries > 0)
    notice(fmt::format("warning: {} of {} question(s) have no word that is known", empty_queries,
                       reader.reader().report().rows));
  Json report = {{"task", "ranking"}};
  report.update(metrics.report());
  report["empty_queries"] = empty_queries;
  report["coverage"] = tokens > 0 ? 1 - static_cast<double>(unknown) / static_cast<double>(tokens) : 0;
  report["skipped"] = reader.reader().report().skipped;
  return report;
}

}  // namespace semblance
