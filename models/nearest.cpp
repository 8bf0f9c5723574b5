#include "models/nearest.h"

#include <ATen/Functions.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "models/kernels.h"
#include "models/parallel.h"

namespace semblance {
namespace {

constexpr int64_t kBlockScores = int64_t{1} << 20;  // scores of a block: 4 MB, within a cache
constexpr int64_t kMostQueries = 512;
constexpr int64_t kMostNeighbors = int64_t{1} << 20;  // of all queries that are answered at once
// Rows of which it is open whether they are neighbours, before they are measured.
constexpr size_t kMostOpen = 4096;

constexpr float kNothing = -std::numeric_limits<float>::infinity();

// No more than `value`.
float no_more_than(double value) {
  const auto rounded = static_cast<float>(value);
  return static_cast<double>(rounded) <= value ? rounded : std::nextafter(rounded, kNothing);
}

// What one query looks for.
struct Wanted {
  int64_t k;
  double min_score;
  std::span<const int64_t> excluded;
  int64_t after = -1;  // rows from here on do not count before the next
};

// The neighbours of one query. Each row has a cosine of at least score - reach and at most score + reach: of
// the k largest lower ends the least is a bar, and what cannot reach it is none of the k nearest.
class Selection {
 public:
  Selection(const Scan& scan, std::span<const float> query, const Wanted& wanted)
      : scan_(&scan), query_(query), wanted_(wanted), bar_(no_more_than(wanted.min_score)) {
    wanted_.k = std::min(wanted.k, scan.size());
  }

  /// `scores` of the rows from `first` on; see Scan::Queries.
  void offer(const float* scores, int64_t first, int64_t size, float factor, float rest) {
    const float *scales = scan_->scales() + first, *errors = scan_->errors() + first;
    for (int64_t begin = 0, end; begin < size; begin = end) {
      begin = kernels::skip_below(scores, scales, errors, factor, rest, bar_, begin, size);
      end = std::min(begin + kernels::kSkipped, size);
      for (int64_t i = begin; i < end; ++i) {
        const float score = scores[i] * scales[i], reach = factor * errors[i] + rest;
        if (score + reach >= bar_ && counts(first + i)) take(first + i, score, reach);
      }
    }
  }

  /// The nearest first.
  std::vector<Neighbor> finish() {
    measure();
    std::ranges::sort(best_);
    std::vector<Neighbor> found;
    found.reserve(best_.size());
    for (const auto& [negative, id] : best_) found.push_back({id, static_cast<float>(-negative)});
    return found;
  }

 private:
  struct Open {
    float most;
    int64_t id;
  };

  bool counts(int64_t id) const {
    return id > wanted_.after && std::ranges::find(wanted_.excluded, id) == wanted_.excluded.end();
  }

  void take(int64_t id, float score, float reach) {
    open_.push_back({score + reach, id});
    const auto k = static_cast<size_t>(wanted_.k);
    if (k < static_cast<size_t>(scan_->size())) {
      const auto worse = std::greater<>();
      if (lower_ends_.size() == k) {
        if (score - reach > lower_ends_.front()) {
          std::ranges::pop_heap(lower_ends_, worse);
          lower_ends_.back() = score - reach;
          std::ranges::push_heap(lower_ends_, worse);
        }
      } else {
        lower_ends_.push_back(score - reach);
        std::ranges::push_heap(lower_ends_, worse);
      }
      if (lower_ends_.size() == k) bar_ = std::max(bar_, lower_ends_.front());
    }
    if (open_.size() < kMostOpen) return;
    drop_below_bar();
    if (open_.size() > kMostOpen / 2) measure();
  }

  void drop_below_bar() {
    std::erase_if(open_, [this](const Open& row) { return row.most < bar_; });
  }

  // Measures what may be a neighbour, the likeliest first: the others are then below the bar, mostly.
  void measure() {
    drop_below_bar();
    std::ranges::sort(
        open_, [](const Open& a, const Open& b) { return a.most != b.most ? a.most > b.most : a.id < b.id; });
    std::vector<float> buffer(query_.size());
    for (const auto& row : open_) {
      if (row.most < bar_) break;
      const double score = cosine(query_, {scan_->row(row.id, buffer.data()), query_.size()});
      if (score < wanted_.min_score) continue;
      const std::pair candidate{-score, row.id};
      if (best_.size() == static_cast<size_t>(wanted_.k)) {
        if (!(candidate < best_.front())) continue;
        std::ranges::pop_heap(best_);
        best_.back() = candidate;
      } else {
        best_.push_back(candidate);
      }
      std::ranges::push_heap(best_);
      if (best_.size() == static_cast<size_t>(wanted_.k))
        bar_ = std::max(bar_, no_more_than(-best_.front().first));
    }
    open_.clear();
  }

  const Scan* scan_;
  std::span<const float> query_;
  Wanted wanted_;
  float bar_;
  std::vector<float> lower_ends_;                 // the k largest, the least of them in front
  std::vector<Open> open_;                        // not measured yet
  std::vector<std::pair<double, int64_t>> best_;  // negative cosine and row; the farthest in front
};

// Shows `selections`, one a query, the rows from `begin` on, and calls done(query, neighbours) for each.
template <class Done>
void select(const Scan& scan, const at::Tensor& queries, std::vector<Selection> selections, int64_t begin,
            Done&& done) {
  const int64_t count = queries.size(0), n = scan.size();
  const auto prepared = scan.prepare(queries);
  const auto* unit = prepared.unit.const_data_ptr<float>();
  const auto asks = [&](int64_t q) {
    const std::span query(unit + q * scan.dim(), static_cast<size_t>(scan.dim()));
    return std::ranges::any_of(query, [](float x) { return x != 0; });
  };
  std::vector<char> asking(static_cast<size_t>(count));
  for (int64_t q = 0; q < count; ++q) asking[static_cast<size_t>(q)] = asks(q);
  const int64_t step = scan.step(), block = std::max<int64_t>(1024, kBlockScores / count / step * step);
  const auto scores = at::empty({count, std::min(block, (n + step - 1) / step * step)}, queries.options());
  for (begin = begin / step * step; begin < n; begin += block) {
    const int64_t size = std::min(block, n - begin);
    scan.score(prepared, begin, size, scores);
    parallel_for(count, 0.2 * static_cast<double>(size), [&](int64_t first, int64_t last) {
      for (int64_t q = first; q < last; ++q) {
        const auto at = static_cast<size_t>(q);
        if (asking[at])
          selections[at].offer(scores.const_data_ptr<float>() + q * scores.size(1), begin, size,
                               prepared.factors[at], prepared.rests[at]);
      }
    });
  }
  const auto cost = 100 * static_cast<double>(scan.dim());
  parallel_for(count, cost, [&](int64_t first, int64_t last) {
    for (int64_t q = first; q < last; ++q) done(q, selections[static_cast<size_t>(q)].finish());
  });
}

std::span<const float> row_of(const at::Tensor& matrix, int64_t row) {
  const int64_t dim = matrix.size(1);
  return {matrix.const_data_ptr<float>() + row * dim, static_cast<size_t>(dim)};
}

}  // namespace

double cosine(std::span<const float> a, std::span<const float> b) {
  double product = 0, length_a = 0, length_b = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double x = static_cast<double>(a[i]), y = static_cast<double>(b[i]);
    product += x * y;
    length_a += x * x;
    length_b += y * y;
  }
  // One root of the product: the same both ways, and exactly 1 of a vector with itself.
  return length_a > 0 && length_b > 0 ? product / std::sqrt(length_a * length_b) : 0;
}

int64_t queries_at_once(int64_t k) {
  return std::clamp<int64_t>(kMostNeighbors / std::max<int64_t>(k, 1), 1, kMostQueries);
}

std::vector<std::vector<Neighbor>> nearest(const Scan& rows, const at::Tensor& all_queries,
                                           const NearestOptions& options) {
  const c10::NoGradGuard no_gradient;
  const int64_t total = all_queries.size(0);
  std::vector<std::vector<Neighbor>> result(static_cast<size_t>(total));
  if (options.k <= 0) return result;
  const auto contiguous = all_queries.contiguous();
  const int64_t at_once = queries_at_once(options.k);
  for (int64_t first = 0; first < total; first += at_once) {
    const auto queries = contiguous.narrow(0, first, std::min(at_once, total - first));
    std::vector<Selection> selections;
    for (int64_t q = 0; q < queries.size(0); ++q) {
      Wanted wanted{.k = options.k, .min_score = options.min_score, .excluded = {}};
      if (!options.excluded.empty()) wanted.excluded = options.excluded[static_cast<size_t>(first + q)];
      selections.emplace_back(rows, row_of(queries, q), wanted);
    }
    select(rows, queries, std::move(selections), 0, [&](int64_t q, std::vector<Neighbor> found) {
      result[static_cast<size_t>(first + q)] = std::move(found);
    });
  }
  return result;
}

std::vector<std::vector<Neighbor>> nearest(const at::Tensor& rows, const at::Tensor& norms,
                                           const at::Tensor& queries, int64_t k,
                                           std::span<const std::vector<int64_t>> excluded) {
  return nearest(*scan_floats(rows, norms), queries, {.k = k, .excluded = excluded});
}

void near_pairs(const Scan& rows, double min_score,
                const std::function<void(int64_t row, std::span<const Neighbor> later)>& visit) {
  const c10::NoGradGuard no_gradient;
  constexpr int64_t kAtOnce = 256;
  const int64_t n = rows.size(), dim = rows.dim();
  for (int64_t first = 0; first < n; first += kAtOnce) {
    const auto queries = at::empty({std::min(kAtOnce, n - first), dim});
    auto* to = queries.mutable_data_ptr<float>();
    std::vector<Selection> selections;
    for (int64_t q = 0; q < queries.size(0); ++q, to += dim) {
      if (const float* row = rows.row(first + q, to); row != to) std::copy(row, row + dim, to);
      selections.emplace_back(rows, row_of(queries, q),
                              Wanted{.k = n, .min_score = min_score, .excluded = {}, .after = first + q});
    }
    std::vector<std::vector<Neighbor>> found(selections.size());
    select(rows, queries, std::move(selections), first, [&](int64_t q, std::vector<Neighbor> later) {
      std::ranges::sort(later, {}, &Neighbor::id);
      found[static_cast<size_t>(q)] = std::move(later);
    });
    for (size_t q = 0; q < found.size(); ++q)
      if (!found[q].empty()) visit(first + static_cast<int64_t>(q), found[q]);
  }
}

}  // namespace semblance
