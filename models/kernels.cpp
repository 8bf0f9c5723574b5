#include "models/kernels.h"

#include <algorithm>

namespace semblance::kernels {
namespace {

// Columns are taken in blocks that stay in registers while the rows stream by.
constexpr int64_t kBlock = 32;

}  // namespace

SEMBLANCE_MULTIVERSION
void pool_bags(const float* weight, const int64_t* ids, const int64_t* offsets, int64_t begin, int64_t end,
               int64_t dim, bool mean, float* out) {
  for (int64_t b = begin; b < end; ++b) {
    const int64_t first = offsets[b], last = offsets[b + 1];
    const float scale = mean && last > first ? 1.0f / static_cast<float>(last - first) : 1.0f;
    float* to = out + b * dim;
    int64_t column = 0;
    for (; column + kBlock <= dim; column += kBlock) {
      float sum[kBlock] = {};
      for (int64_t i = first; i < last; ++i) {
        const float* from = weight + ids[i] * dim + column;
        for (int64_t d = 0; d < kBlock; ++d) sum[d] += from[d];
      }
      for (int64_t d = 0; d < kBlock; ++d) to[column + d] = scale * sum[d];
    }
    for (; column < dim; column += 8) {
      const int64_t width = std::min<int64_t>(8, dim - column);
      float sum[8] = {};
      if (width == 8) {
        for (int64_t i = first; i < last; ++i) {
          const float* from = weight + ids[i] * dim + column;
          for (int64_t d = 0; d < 8; ++d) sum[d] += from[d];
        }
      } else {
        for (int64_t i = first; i < last; ++i) {
          const float* from = weight + ids[i] * dim + column;
          for (int64_t d = 0; d < width; ++d) sum[d] += from[d];
        }
      }
      for (int64_t d = 0; d < width; ++d) to[column + d] = scale * sum[d];
    }
  }
}

SEMBLANCE_MULTIVERSION
void gather_bags(const float* gradient, const int32_t* bags, const int64_t* starts, const float* scale,
                 int64_t begin, int64_t end, int64_t dim, float* out) {
  for (int64_t r = begin; r < end; ++r) {
    float* to = out + r * dim;
    for (int64_t d = 0; d < dim; ++d) to[d] = 0;
    for (int64_t i = starts[r]; i < starts[r + 1]; ++i) {
      const float* from = gradient + bags[i] * dim;
      const float s = scale[bags[i]];
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

}  // namespace semblance::kernels
