// Products of vectors of small whole numbers: what an int8 scan spends its time on. Sums are whole numbers,
// so they are the same in any order.
#pragma once

#include <cstdint>
#include <span>

namespace semblance::kernels {

constexpr int64_t kCodeRows = 64;  // of a group: as many sums as are held in registers beside each other

/// The vector `values` times `factor` in whole numbers from -127 to 127.
struct Packed {
  float scale;  ///< what they are to be multiplied by
  float error;  ///< what is then missing is no longer than this
};
Packed pack_codes(const float* values, float factor, int64_t dim, int8_t* codes);

/// From `rows`, int8 [kCodeRows, dim], to `group`, uint8 [dim / 4, kCodeRows, 4], in which each number is 128
/// more; `dim` is a multiple of 4. Four numbers of each row stand together, since processors multiply and add
/// up four at once.
void lay_out_codes(const int8_t* rows, int64_t dim, uint8_t* group);

/// out[q · width + i] = scales[q] · the product of queries[q, :] and row i of `groups` groups of rows that
/// lay_out_codes made. `queries`: int8 [count, dim], `dim` a multiple of 4; `sums` of their numbers.
using ScoreCodes = void (*)(const uint8_t* rows, int64_t groups, int64_t dim, const int8_t* queries,
                            const int32_t* sums, const float* scales, int64_t count, float* out,
                            int64_t width);

/// Those that this processor has, the fastest first; the last one is the same in plain words.
std::span<const ScoreCodes> code_kernels();

}  // namespace semblance::kernels
