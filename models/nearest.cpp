#include "models/nearest.h"

#include <ATen/Functions.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <cmath>

#include "models/blocks.h"

namespace semblance {
namespace {

constexpr int64_t kBlockScores = int64_t{1} << 21;  // scores of a block: 8 MB, within a shared cache
constexpr int64_t kMostQueries = 512;
constexpr int64_t kMostNeighbors = int64_t{1} << 20;  // of all queries that are answered at once
// Candidates beyond k: as many as may stand closer to the k-th than float32's error.
constexpr int64_t kSpare = 16;

struct Candidate {
  float score;
  int64_t id;
  // Better: the larger score, then the lower id.
  bool operator<(const Candidate& other) const {
    return score != other.score ? score > other.score : id < other.id;
  }
};

// The best `capacity` of all that were offered; the worst of them stands at the heap's front.
class Best {
 public:
  explicit Best(size_t capacity) : capacity_(capacity) {}

  /// A scale that is not a number leaves its row out.
  void offer(const float* scores, const float* scales, int64_t size, int64_t first_id) {
    for (int64_t begin = 0; begin < size; begin += 16) {
      const int64_t end = std::min<int64_t>(begin + 16, size);
      // Most blocks hold nothing: this loop is one comparison of vectors.
      bool any = heap_.size() < capacity_;
      const float bound = any ? 0 : heap_.front().score;
      for (int64_t i = begin; i < end; ++i) any |= scores[i] * scales[i] > bound;
      if (!any) continue;
      for (int64_t i = begin; i < end; ++i) {
        const Candidate candidate{scores[i] * scales[i], first_id + i};
        if (std::isnan(candidate.score)) continue;
        if (heap_.size() < capacity_) {
          heap_.push_back(candidate);
          std::ranges::push_heap(heap_, std::less<>());
        } else if (candidate < heap_.front()) {
          std::ranges::pop_heap(heap_, std::less<>());
          heap_.back() = candidate;
          std::ranges::push_heap(heap_, std::less<>());
        }
      }
    }
  }

  const std::vector<Candidate>& all() const { return heap_; }

 private:
  size_t capacity_;
  std::vector<Candidate> heap_;
};

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
  return std::clamp<int64_t>(kMostNeighbors / (k + kSpare), 1, kMostQueries);
}

std::vector<std::vector<Neighbor>> nearest(const at::Tensor& rows, const at::Tensor& norms,
                                           const at::Tensor& all_queries, int64_t k,
                                           std::span<const std::vector<int64_t>> excluded) {
  const c10::NoGradGuard no_gradient;
  const int64_t n = rows.size(0), dim = rows.size(1), total = all_queries.size(0);
  const auto contiguous = all_queries.contiguous();
  const auto scales = norms.reciprocal().masked_fill_(norms.eq(0), std::nan("")).contiguous();
  const float* scale = scales.const_data_ptr<float>();
  const float* row_data = rows.const_data_ptr<float>();
  std::vector<std::vector<Neighbor>> result(static_cast<size_t>(total));
  const auto excluded_of = [&](int64_t query) {
    return excluded.empty() ? std::span<const int64_t>{}
                            : std::span<const int64_t>(excluded[static_cast<size_t>(query)]);
  };
  const int64_t at_once = queries_at_once(k);
  for (int64_t first = 0; first < total; first += at_once) {
    const int64_t count = std::min(at_once, total - first);
    const auto queries = contiguous.narrow(0, first, count);
    std::vector<Best> best;
    for (int64_t q = 0; q < count; ++q)
      best.emplace_back(static_cast<size_t>(
          std::min<int64_t>(n, k + kSpare + static_cast<int64_t>(excluded_of(first + q).size()))));
    const int64_t block = std::max<int64_t>(256, kBlockScores / count);
    for (int64_t begin = 0; begin < n; begin += block) {
      const int64_t size = std::min(block, n - begin);
      const auto scores = at::empty({count, size}, queries.options());
      multiply_into(scores, queries, rows.narrow(0, begin, size).t());
      const float* score = scores.const_data_ptr<float>();
      parallel_for(count, 0.2 * static_cast<double>(size), [&](int64_t q_begin, int64_t q_end) {
        for (int64_t q = q_begin; q < q_end; ++q)
          best[static_cast<size_t>(q)].offer(score + q * size, scale + begin, size, begin);
      });
    }
    const auto rescored = static_cast<double>((k + kSpare) * dim);
    parallel_for(count, 3 * rescored, [&](int64_t q_begin, int64_t q_end) {
      for (int64_t q = q_begin; q < q_end; ++q) {
        const std::span query(contiguous.const_data_ptr<float>() + (first + q) * dim,
                              static_cast<size_t>(dim));
        if (std::ranges::all_of(query, [](float x) { return x == 0; })) continue;
        const auto without = excluded_of(first + q);
        std::vector<std::pair<double, int64_t>> found;
        for (const auto& candidate : best[static_cast<size_t>(q)].all())
          if (std::ranges::find(without, candidate.id) == without.end())
            found.emplace_back(-cosine(query, {row_data + candidate.id * dim, static_cast<size_t>(dim)}),
                               candidate.id);
        std::ranges::sort(found);
        if (static_cast<int64_t>(found.size()) > k) found.resize(static_cast<size_t>(k));
        auto& neighbors = result[static_cast<size_t>(first + q)];
        for (const auto& [negative, id] : found) neighbors.push_back({id, static_cast<float>(-negative)});
      }
    });
  }
  return result;
}

}  // namespace semblance
