#include "training/row_kernels.h"

#include <algorithm>
#include <cmath>

#include "models/kernels.h"

namespace semblance::kernels {

SEMBLANCE_MULTIVERSION
void lazy_adam_rows(const LazyAdamStep& step, const int64_t* rows, const float* gradient, const float* keep,
                    int64_t begin, int64_t end, int64_t dim, float* weight, float* exp_avg,
                    float* exp_avg_sq) {
  const float keep1 = step.beta1, keep2 = step.beta2, add1 = 1 - keep1, add2 = 1 - keep2;
  const float eps = step.eps, step_size = step.step_size;
  constexpr int64_t kLine = 16, kAhead = 2;
  for (int64_t i = begin; i < end; ++i) {
    const float* __restrict g = gradient + i * dim;
    float* __restrict w = weight + rows[i] * dim;
    float* __restrict m = exp_avg + rows[i] * dim;
    float* __restrict v = exp_avg_sq + rows[i] * dim;
    const float kept = keep ? keep[i] : 1.0f;
    // The same columns of a row to come are on their way meanwhile: a few lines at a time, since a core
    // cannot ask for more without waiting.
    const int64_t next = rows[std::min(i + kAhead, end - 1)] * dim;
    const auto columns = [&](int64_t first, int64_t last) __attribute__((always_inline)) {
      __builtin_prefetch(weight + next + first, 1);
      __builtin_prefetch(exp_avg + next + first, 1);
      __builtin_prefetch(exp_avg_sq + next + first, 1);
      for (int64_t d = first; d < last; ++d) {
        m[d] = keep1 * m[d] + add1 * g[d];
        v[d] = keep2 * v[d] + add2 * g[d] * g[d];
        w[d] = kept * w[d] - step_size * m[d] / (std::sqrt(v[d]) + eps);
      }
    };
    int64_t d = 0;
    for (; d + kLine <= dim; d += kLine) columns(d, d + kLine);
    if (d < dim) columns(d, dim);
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
