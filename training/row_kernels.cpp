#include "training/row_kernels.h"

#include <algorithm>
#include <cmath>

#include "models/kernels.h"

namespace semblance::kernels {

namespace {

// Of `size` entries of a row, which leaves `kept` of its weights.
[[gnu::always_inline]] inline void lazy_adam_entries(const LazyAdamStep& step, float kept, int64_t size,
                                                     const float* __restrict g, float* __restrict w,
                                                     float* __restrict m, float* __restrict v) {
  for (int64_t d = 0; d < size; ++d) {
    m[d] = step.beta1 * m[d] + (1 - step.beta1) * g[d];
    v[d] = step.beta2 * v[d] + (1 - step.beta2) * g[d] * g[d];
    w[d] = kept * w[d] - step.step_size * m[d] / (std::sqrt(v[d]) + step.eps);
  }
}

}  // namespace

SEMBLANCE_MULTIVERSION
void lazy_adam_rows(const LazyAdamStep& step, const int64_t* rows, const float* gradient, const float* keep,
                    int64_t begin, int64_t end, int64_t dim, float* weight, float* exp_avg,
                    float* exp_avg_sq) {
  constexpr int64_t kLine = 16, kFew = 4, kAhead = 2;
  const LazyAdamStep own = step;  // which no row overlaps
  for (int64_t i = begin; i < end; ++i) {
    const float kept = keep ? keep[i] : 1.0f;
    const float* g = gradient + i * dim;
    const int64_t row = rows[i] * dim;
    // The same columns of a row to come are on their way meanwhile: a few lines at a time, since a core
    // cannot ask for more without waiting.
    const int64_t next = rows[std::min(i + kAhead, end - 1)] * dim;
    const auto entries = [&](int64_t d, int64_t size) __attribute__((always_inline)) {
      __builtin_prefetch(weight + next + d, 1);
      __builtin_prefetch(exp_avg + next + d, 1);
      __builtin_prefetch(exp_avg_sq + next + d, 1);
      lazy_adam_entries(own, kept, size, g + d, weight + row + d, exp_avg + row + d, exp_avg_sq + row + d);
    };
    int64_t d = 0;
    for (; d + kLine <= dim; d += kLine) entries(d, kLine);
    for (; d + kFew <= dim; d += kFew) entries(d, kFew);
    if (d < dim) entries(d, dim - d);
  }
}

SEMBLANCE_MULTIVERSION
void rowwise_adagrad_rows(const RowwiseAdagradStep& step, const int64_t* rows, const float* gradient,
                          int64_t begin, int64_t end, int64_t dim, float* weight, float* sums) {
  constexpr int64_t kLanes = 16, kAhead = 8;
  for (int64_t i = begin; i < end; ++i) {
    const float* __restrict g = gradient + i * dim;
    float* __restrict w = weight + rows[i] * dim;
    if (i + kAhead < end) {
      const int64_t next = rows[i + kAhead];
      __builtin_prefetch(sums + next, 1);
      for (int64_t d = 0; d < dim; d += kLanes) __builtin_prefetch(weight + next * dim + d, 1);
    }
    float lanes[kLanes] = {};
    const auto add = [&](int64_t at, int64_t lane) __attribute__((always_inline)) {
      const float value = g[at] + step.weight_decay * w[at];
      lanes[lane] += value * value;
    };
    int64_t first = 0;
    for (; first + kLanes <= dim; first += kLanes)
      for (int64_t d = 0; d < kLanes; ++d) add(first + d, d);
    for (int64_t d = 0; first + d < dim; ++d) add(first + d, d);
    for (int64_t half = kLanes / 2; half > 0; half /= 2)
      for (int64_t d = 0; d < half; ++d) lanes[d] += lanes[d + half];
    sums[rows[i]] += lanes[0] / static_cast<float>(dim);
    const float step_size = step.learning_rate / (std::sqrt(sums[rows[i]]) + step.eps);
    for (int64_t d = 0; d < dim; ++d) w[d] -= step_size * (g[d] + step.weight_decay * w[d]);
  }
}

}  // namespace semblance::kernels
