#include "models/kernels.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "models/kernel_math.h"

namespace semblance::kernels {
namespace {

constexpr int64_t kBlock = 32;
constexpr int64_t kLanes = 16;
constexpr int64_t kPrefetched = 8;  // rows

// Sums in a fixed order that vectors can follow.
struct LaneSum {
  float lanes[kLanes] = {};
  [[gnu::always_inline]] float total() {
    for (int64_t half = kLanes / 2; half > 0; half /= 2)
      for (int64_t d = 0; d < half; ++d) lanes[d] += lanes[d + half];
    return lanes[0];
  }
};

[[gnu::always_inline]] inline float dot(const float* a, const float* b, int64_t size) {
  LaneSum sum;
  int64_t i = 0;
  for (; i + kLanes <= size; i += kLanes)
    for (int64_t d = 0; d < kLanes; ++d) sum.lanes[d] += a[i + d] * b[i + d];
  for (int64_t d = 0; i + d < size; ++d) sum.lanes[d] += a[i + d] * b[i + d];
  return sum.total();
}

// `highest`: the largest of the row.
[[gnu::always_inline]] inline float log_sum_exp(const float* row, int64_t n, float highest) {
  LaneSum sum;
  int64_t j = 0;
  for (; j + kLanes <= n; j += kLanes)
    for (int64_t d = 0; d < kLanes; ++d) sum.lanes[d] += exp_of(row[j + d] - highest);
  for (int64_t d = 0; j + d < n; ++d) sum.lanes[d] += exp_of(row[j + d] - highest);
  return highest + std::log(sum.total());
}

}  // namespace

SEMBLANCE_MULTIVERSION
void pool_bags(const float* weight, const int64_t* ids, const int64_t* offsets, int64_t begin, int64_t end,
               int64_t dim, bool mean, float* out) {
  const int64_t stop = offsets[end];
  for (int64_t b = begin; b < end; ++b) {
    const int64_t first = offsets[b], last = offsets[b + 1];
    const float scale = mean && last > first ? 1.0f / static_cast<float>(last - first) : 1.0f;
    float* to = out + b * dim;
    int64_t column = 0;
    // Columns are taken in blocks that stay in registers while the rows stream by. The same columns of rows
    // to come, of the next bags too, are on their way meanwhile: all of a row's at once would be more lines
    // than a core can ask for without waiting.
    const auto sum_columns =
        [&]<int64_t kWidth>(std::integral_constant<int64_t, kWidth>) __attribute__((always_inline)) {
          for (; column + kWidth <= dim; column += kWidth) {
            float sum[kWidth] = {};
            for (int64_t i = first; i < last; ++i) {
              if (i + kPrefetched < stop)
                for (int64_t d = 0; d < kWidth; d += kLanes)
                  __builtin_prefetch(weight + ids[i + kPrefetched] * dim + column + d);
              const float* from = weight + ids[i] * dim + column;
              for (int64_t d = 0; d < kWidth; ++d) sum[d] += from[d];
            }
            for (int64_t d = 0; d < kWidth; ++d) to[column + d] = scale * sum[d];
          }
        };
    sum_columns(std::integral_constant<int64_t, 64>());
    sum_columns(std::integral_constant<int64_t, 32>());
    sum_columns(std::integral_constant<int64_t, 16>());
    sum_columns(std::integral_constant<int64_t, 8>());
    sum_columns(std::integral_constant<int64_t, 4>());
    sum_columns(std::integral_constant<int64_t, 1>());
  }
}

SEMBLANCE_MULTIVERSION
void gather_bags(const float* gradient, const int32_t* bags, const int64_t* starts, const float* scale,
                 int64_t begin, int64_t end, int64_t dim, float* out) {
  for (int64_t r = begin; r < end; ++r) {
    float* __restrict to = out + r * dim;
    int64_t i = starts[r];
    if (i == starts[r + 1]) std::fill(to, to + dim, 0.0f);
    // Most rows occur once.
    if (const int64_t last = starts[r + 1]; i < last) {
      const float* __restrict from = gradient + bags[i] * dim;
      const float s = scale[bags[i]];
      for (int64_t d = 0; d < dim; ++d) to[d] = s * from[d];
      while (++i < last) {
        const float* __restrict more = gradient + bags[i] * dim;
        const float factor = scale[bags[i]];
        for (int64_t d = 0; d < dim; ++d) to[d] += factor * more[d];
      }
    }
  }
}

SEMBLANCE_MULTIVERSION
void scatter_bags(const float* gradient, const int64_t* ids, const int64_t* offsets, const float* weights,
                  int64_t bags, int64_t dim, bool mean, float* out) {
  for (int64_t b = 0; b < bags; ++b) {
    const int64_t first = offsets[b], last = offsets[b + 1];
    const float* __restrict from = gradient + b * dim;
    const float scale = mean && last > first ? 1.0f / static_cast<float>(last - first) : 1.0f;
    for (int64_t i = first; i < last; ++i) {
      float* __restrict to = out + ids[i] * dim;
      const float factor = weights ? weights[i] : scale;
      for (int64_t d = 0; d < dim; ++d) to[d] += factor * from[d];
    }
  }
}

SEMBLANCE_MULTIVERSION
void pool_weighted_bags(const float* weight, const int64_t* ids, const float* weights, const int64_t* offsets,
                        int64_t begin, int64_t end, int64_t dim, float* out) {
  for (int64_t b = begin; b < end; ++b) {
    float* to = out + b * dim;
    for (int64_t d = 0; d < dim; ++d) to[d] = 0;
    for (int64_t i = offsets[b]; i < offsets[b + 1]; ++i) {
      const float* from = weight + ids[i] * dim;
      for (int64_t d = 0; d < dim; ++d) to[d] += weights[i] * from[d];
    }
  }
}

SEMBLANCE_MULTIVERSION
void pool_packed_bags(const int8_t* values, const float* scales, const int64_t* ids, const float* weights,
                      const int64_t* offsets, int64_t begin, int64_t end, int64_t dim, bool mean,
                      float* out) {
  for (int64_t b = begin; b < end; ++b) {
    const int64_t first = offsets[b], last = offsets[b + 1];
    float* to = out + b * dim;
    for (int64_t d = 0; d < dim; ++d) to[d] = 0;
    for (int64_t i = first; i < last; ++i) {
      const int8_t* from = values + ids[i] * dim;
      const float scale = weights ? weights[i] * scales[ids[i]] : scales[ids[i]];
      for (int64_t d = 0; d < dim; ++d) to[d] += scale * static_cast<float>(from[d]);
    }
    const float whole = mean && last > first ? 1.0f / static_cast<float>(last - first) : 1.0f;
    for (int64_t d = 0; d < dim; ++d) to[d] *= whole;
  }
}

SEMBLANCE_MULTIVERSION
void gather_weighted_bags(const float* gradient, const int32_t* bags, const float* weights,
                          const int32_t* places, const int64_t* starts, int64_t begin, int64_t end,
                          int64_t dim, float* out) {
  for (int64_t r = begin; r < end; ++r) {
    float* to = out + r * dim;
    for (int64_t d = 0; d < dim; ++d) to[d] = 0;
    for (int64_t i = starts[r]; i < starts[r + 1]; ++i) {
      const float* from = gradient + bags[places[i]] * dim;
      const float s = weights[places[i]];
      for (int64_t d = 0; d < dim; ++d) to[d] += s * from[d];
    }
  }
}

SEMBLANCE_MULTIVERSION
void dot_rows(const float* query, const float* rows, const int32_t* ids, int64_t count, int64_t dim,
              float* out) {
  for (int64_t i = 0; i < count; ++i) {
    const float* row = rows + ids[i] * dim;
    float sums[kBlock] = {};
    int64_t column = 0;
    for (; column + kBlock <= dim; column += kBlock)
      for (int64_t d = 0; d < kBlock; ++d) sums[d] += query[column + d] * row[column + d];
    for (int64_t d = 0; column + d < dim; ++d) sums[d] += query[column + d] * row[column + d];
    for (int64_t half = kBlock / 2; half > 0; half /= 2)
      for (int64_t d = 0; d < half; ++d) sums[d] += sums[d + half];
    out[i] = sums[0];
  }
}

SEMBLANCE_MULTIVERSION
int64_t skip_below(const float* scores, const float* scales, const float* errors, float factor, float rest,
                   float bar, int64_t begin, int64_t size) {
  for (; begin + kSkipped <= size; begin += kSkipped) {
    int32_t reaching = 0;
    for (int64_t i = begin; i < begin + kSkipped; ++i)
      reaching += scores[i] * scales[i] + (factor * errors[i] + rest) >= bar ? 1 : 0;
    if (reaching > 0) return begin;
  }
  return begin;
}

SEMBLANCE_MULTIVERSION
void small_product(const float* a, int64_t row_stride, int64_t inner_stride, const float* b, int64_t begin,
                   int64_t end, int64_t inner, int64_t columns, float* out) {
  const auto tile = [&]<int64_t kRows, int64_t kWidth>(
                        int64_t i, int64_t column, std::integral_constant<int64_t, kRows>,
                        std::integral_constant<int64_t, kWidth>) __attribute__((always_inline)) {
    float sums[kRows][kWidth] = {};
    for (int64_t k = 0; k < inner; ++k) {
      const float* right = b + k * columns + column;
      for (int64_t r = 0; r < kRows; ++r) {
        const float left = a[(i + r) * row_stride + k * inner_stride];
        for (int64_t d = 0; d < kWidth; ++d) sums[r][d] += left * right[d];
      }
    }
    for (int64_t r = 0; r < kRows; ++r)
      for (int64_t d = 0; d < kWidth; ++d) out[(i + r) * columns + column + d] = sums[r][d];
  };
  const auto columns_of = [&]<int64_t kRows>(int64_t i, std::integral_constant<int64_t, kRows> rows)
                              __attribute__((always_inline)) {
                                int64_t column = 0;
                                for (; column + 8 <= columns; column += 8)
                                  tile(i, column, rows, std::integral_constant<int64_t, 8>());
                                for (; column + 4 <= columns; column += 4)
                                  tile(i, column, rows, std::integral_constant<int64_t, 4>());
                                for (; column < columns; ++column)
                                  tile(i, column, rows, std::integral_constant<int64_t, 1>());
                              };
  int64_t i = begin;
  for (; i + 4 <= end; i += 4) columns_of(i, std::integral_constant<int64_t, 4>());
  for (; i < end; ++i) columns_of(i, std::integral_constant<int64_t, 1>());
}

SEMBLANCE_MULTIVERSION
float squared_differences(const float* a, const float* b, int64_t size, float* differences) {
  LaneSum sum;
  const auto at = [&](int64_t i, int64_t lane) __attribute__((always_inline)) {
    differences[i] = a[i] - b[i];
    sum.lanes[lane] += differences[i] * differences[i];
  };
  int64_t i = 0;
  for (; i + kLanes <= size; i += kLanes)
    for (int64_t d = 0; d < kLanes; ++d) at(i + d, d);
  for (int64_t d = 0; i + d < size; ++d) at(i + d, d);
  return sum.total();
}

SEMBLANCE_MULTIVERSION
void column_sums(const float* matrix, int64_t rows, int64_t columns, float* out) {
  std::fill(out, out + columns, 0.0f);
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < columns; ++c) out[c] += matrix[r * columns + c];
}

SEMBLANCE_MULTIVERSION
double sum_of_squares(const float* values, int64_t size) {
  double lanes[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= size; i += kLanes)
    for (int64_t d = 0; d < kLanes; ++d)
      lanes[d] += static_cast<double>(values[i + d]) * static_cast<double>(values[i + d]);
  for (; i < size; ++i) lanes[0] += static_cast<double>(values[i]) * static_cast<double>(values[i]);
  double sum = 0;
  for (const double lane : lanes) sum += lane;
  return sum;
}

SEMBLANCE_MULTIVERSION
void unit_rows(const float* rows, int64_t begin, int64_t end, int64_t dim, float eps, float* out,
               float* inverse_norms) {
  for (int64_t r = begin; r < end; ++r) {
    const float* row = rows + r * dim;
    const float inverse = 1 / std::max(std::sqrt(dot(row, row, dim)), eps);
    inverse_norms[r] = inverse;
    for (int64_t d = 0; d < dim; ++d) out[r * dim + d] = row[d] * inverse;
  }
}

SEMBLANCE_MULTIVERSION
void unit_rows_gradient(const float* unit, const float* inverse_norms, const float* gradient, int64_t begin,
                        int64_t end, int64_t dim, float eps, float scale, float* out) {
  for (int64_t r = begin; r < end; ++r) {
    const float *u = unit + r * dim, *g = gradient + r * dim;
    const float along = inverse_norms[r] * eps < 1 ? dot(u, g, dim) : 0;
    const float factor = scale * inverse_norms[r];
    for (int64_t d = 0; d < dim; ++d) out[r * dim + d] = factor * (g[d] - along * u[d]);
  }
}

SEMBLANCE_MULTIVERSION
void mask_equal_groups(const int64_t* groups, int64_t begin, int64_t end, int64_t n, float* scores) {
  for (int64_t i = begin; i < end; ++i) {
    float* row = scores + i * n;
    const float own = row[i];
    for (int64_t j = 0; j < n; ++j)
      row[j] = groups[j] == groups[i] ? -std::numeric_limits<float>::infinity() : row[j];
    row[i] = own;
  }
}

SEMBLANCE_MULTIVERSION
void scale_and_row_lse(float scale, int64_t begin, int64_t end, int64_t n, float* scores, float* own,
                       float* lse) {
  for (int64_t i = begin; i < end; ++i) {
    float* row = scores + i * n;
    float most[kLanes];
    std::fill(most, most + kLanes, -std::numeric_limits<float>::infinity());
    int64_t j = 0;
    for (; j + kLanes <= n; j += kLanes)
      for (int64_t d = 0; d < kLanes; ++d) {
        row[j + d] *= scale;
        most[d] = row[j + d] > most[d] ? row[j + d] : most[d];
      }
    for (; j < n; ++j) {
      row[j] *= scale;
      most[0] = std::max(most[0], row[j]);
    }
    own[i] = row[i];
    lse[i] = log_sum_exp(row, n, *std::max_element(most, most + kLanes));
  }
}

SEMBLANCE_MULTIVERSION
void row_lse(const float* scores, int64_t begin, int64_t end, int64_t n, float* lse) {
  for (int64_t i = begin; i < end; ++i) {
    const float* row = scores + i * n;
    float most[kLanes];
    std::fill(most, most + kLanes, -std::numeric_limits<float>::infinity());
    int64_t j = 0;
    for (; j + kLanes <= n; j += kLanes)
      for (int64_t d = 0; d < kLanes; ++d) most[d] = row[j + d] > most[d] ? row[j + d] : most[d];
    for (; j < n; ++j) most[0] = std::max(most[0], row[j]);
    lse[i] = log_sum_exp(row, n, *std::max_element(most, most + kLanes));
  }
}

SEMBLANCE_MULTIVERSION
void softmax_gradient(const float* scores, const int64_t* targets, const float* lse, float factor,
                      const float* weights, int64_t begin, int64_t end, int64_t n, float* out) {
  for (int64_t i = begin; i < end; ++i) {
    const float* row = scores + i * n;
    const float scale = weights ? factor * weights[i] : factor, subtracted = lse[i];
    float* to = out + i * n;
    for (int64_t j = 0; j < n; ++j) to[j] = scale * exp_of(row[j] - subtracted);
    to[targets[i]] -= scale;
  }
}

SEMBLANCE_MULTIVERSION
void column_lse(const float* scores, int64_t rows, int64_t n, int64_t begin, int64_t end, float* lse) {
  for (int64_t first = begin; first < end; first += kLanes) {
    const int64_t width = std::min(kLanes, end - first);
    float most[kLanes], sum[kLanes] = {};
    std::fill(most, most + kLanes, -std::numeric_limits<float>::infinity());
    const float* column = scores + first;
    if (width == kLanes) {
      for (int64_t i = 0; i < rows; ++i)
        for (int64_t d = 0; d < kLanes; ++d)
          most[d] = column[i * n + d] > most[d] ? column[i * n + d] : most[d];
      for (int64_t i = 0; i < rows; ++i)
        for (int64_t d = 0; d < kLanes; ++d) sum[d] += exp_of(column[i * n + d] - most[d]);
    } else {
      for (int64_t i = 0; i < rows; ++i)
        for (int64_t d = 0; d < width; ++d) most[d] = std::max(most[d], column[i * n + d]);
      for (int64_t i = 0; i < rows; ++i)
        for (int64_t d = 0; d < width; ++d) sum[d] += exp_of(column[i * n + d] - most[d]);
    }
    for (int64_t d = 0; d < width; ++d) lse[first + d] = most[d] + std::log(sum[d]);
  }
}

SEMBLANCE_MULTIVERSION
void nt_xent_gradient(const float* row_lse, const float* column_lse, int64_t begin, int64_t end, int64_t n,
                      float* scores) {
  for (int64_t i = begin; i < end; ++i) {
    float* row = scores + i * n;
    for (int64_t j = 0; j < n; ++j)
      row[j] = 0.5f * (exp_of(row[j] - row_lse[i]) + exp_of(row[j] - column_lse[j]));
    row[i] -= 1;
  }
}

SEMBLANCE_MULTIVERSION
void exponentials_and_row_lse(float scale, int64_t begin, int64_t end, int64_t n, float* scores, float* own,
                              float* lse) {
  for (int64_t i = begin; i < end; ++i) {
    float* row = scores + i * n;
    own[i] = scale * row[i];
    LaneSum sum;
    const auto at = [&](int64_t j, int64_t lane) __attribute__((always_inline)) {
      row[j] = exp_of(scale * row[j] - scale);
      sum.lanes[lane] += row[j];
    };
    int64_t j = 0;
    for (; j + kLanes <= n; j += kLanes)
      for (int64_t d = 0; d < kLanes; ++d) at(j + d, d);
    for (int64_t d = 0; j + d < n; ++d) at(j + d, d);
    lse[i] = scale + std::log(sum.total());
  }
}

SEMBLANCE_MULTIVERSION
void column_lse_of_exponentials(float scale, const float* exponentials, int64_t rows, int64_t n,
                                int64_t begin, int64_t end, float* lse) {
  std::fill(lse + begin, lse + end, 0.0f);
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = begin; j < end; ++j) lse[j] += exponentials[i * n + j];
  for (int64_t j = begin; j < end; ++j) lse[j] = scale + std::log(lse[j]);
}

SEMBLANCE_MULTIVERSION
void nt_xent_gradient_of_exponentials(float scale, const float* row_lse, const float* column_lse,
                                      int64_t begin, int64_t end, int64_t n, float* exponentials) {
  // 1 over twice the sums, of columns in a buffer that stays in the cache.
  constexpr int64_t kColumns = 256;
  float by_column[kColumns];
  for (int64_t first = 0; first < n; first += kColumns) {
    const int64_t width = std::min(kColumns, n - first);
    for (int64_t j = 0; j < width; ++j) by_column[j] = 0.5f * exp_of(scale - column_lse[first + j]);
    for (int64_t i = begin; i < end; ++i) {
      float* row = exponentials + i * n + first;
      const float by_row = 0.5f * exp_of(scale - row_lse[i]);
      for (int64_t j = 0; j < width; ++j) row[j] *= by_row + by_column[j];
    }
  }
  for (int64_t i = begin; i < end; ++i) exponentials[i * n + i] -= 1;
}

SEMBLANCE_MULTIVERSION
void negative_scores(const float* rows, const float* negatives, const int64_t* starts, int64_t begin,
                     int64_t end, int64_t dim, float scale, float* scores, float* lse) {
  for (int64_t i = begin; i < end; ++i)
    for (int64_t k = starts[i]; k < starts[i + 1]; ++k) {
      scores[k] = scale * dot(rows + i * dim, negatives + k * dim, dim);
      const float more = std::max(lse[i], scores[k]), less = std::min(lse[i], scores[k]);
      lse[i] = more + std::log1p(std::exp(less - more));
    }
}

SEMBLANCE_MULTIVERSION
void negative_gradient(const float* rows, const float* negatives, const int64_t* starts, int64_t begin,
                       int64_t end, int64_t dim, const float* lse, const float* scores, float* row_gradients,
                       float* gradients, double* dot) {
  for (int64_t i = begin; i < end; ++i)
    for (int64_t k = starts[i]; k < starts[i + 1]; ++k) {
      const float gradient = 0.5f * std::exp(scores[k] - lse[i]);
      for (int64_t d = 0; d < dim; ++d) {
        row_gradients[i * dim + d] += gradient * negatives[k * dim + d];
        gradients[k * dim + d] += gradient * rows[i * dim + d];
      }
      dot[i] += static_cast<double>(gradient) * static_cast<double>(scores[k]);
    }
}

}  // namespace semblance::kernels
