#include "models/code_kernels.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "models/kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace semblance::kernels {
namespace {

constexpr int64_t kGroupStep = kCodeRows * 4;  // bytes: four numbers of each row

#if defined(__x86_64__)
#define SEMBLANCE_VNNI __attribute__((target("avx512f,avx512bw,avx512vnni")))

// `Count` queries and one group: each number is loaded once for all sums that need it.
template <int Count>
SEMBLANCE_VNNI void score_group(const uint8_t* group, int64_t dim, const int8_t* queries, const int32_t* sums,
                                const float* scales, float* out, int64_t width) {
  constexpr int kParts = kCodeRows / 16;
  __m512i total[Count][kParts];
#pragma GCC unroll 4
  for (int q = 0; q < Count; ++q)
#pragma GCC unroll 4
    for (int part = 0; part < kParts; ++part) total[q][part] = _mm512_set1_epi32(-128 * sums[q]);
  for (int64_t d = 0; d < dim; d += 4, group += kGroupStep) {
#pragma GCC unroll 4
    for (int q = 0; q < Count; ++q) {
      int32_t four;
      std::memcpy(&four, queries + q * dim + d, sizeof four);
#pragma GCC unroll 4
      for (int part = 0; part < kParts; ++part)
        total[q][part] = _mm512_dpbusd_epi32(total[q][part], _mm512_loadu_si512(group + 64 * part),
                                             _mm512_set1_epi32(four));
    }
  }
#pragma GCC unroll 4
  for (int q = 0; q < Count; ++q)
#pragma GCC unroll 4
    for (int part = 0; part < kParts; ++part)
      _mm512_storeu_ps(out + q * width + 16 * part,
                       _mm512_maskz_cvtepi32_ps(-1, total[q][part]) * _mm512_set1_ps(scales[q]));
}

SEMBLANCE_VNNI void score_codes_vnni(const uint8_t* rows, int64_t groups, int64_t dim, const int8_t* queries,
                                     const int32_t* sums, const float* scales, int64_t count, float* out,
                                     int64_t width) {
  constexpr int kMost = 4;  // 16 of the 32 registers hold sums
  constexpr decltype(&score_group<1>) kBy[] = {score_group<1>, score_group<2>, score_group<3>,
                                               score_group<4>};
  for (int64_t g = 0; g < groups; ++g)
    for (int64_t q = 0; q < count; q += kMost)
      kBy[std::min<int64_t>(kMost, count - q) - 1](rows + g * kCodeRows * dim, dim, queries + q * dim,
                                                   sums + q, scales + q, out + q * width + g * kCodeRows,
                                                   width);
}

#define SEMBLANCE_AVX2 __attribute__((target("avx2,fma")))

// As score_group where there is no instruction for four bytes: of 16 rows, in products of 16 bits.
template <int Count>
SEMBLANCE_AVX2 void score_sixteen(const uint8_t* group, int64_t dim, const int8_t* queries,
                                  const int32_t* sums, const float* scales, float* out, int64_t width) {
  constexpr int kParts = 4;  // of four rows, each with two sums
  __m256i total[Count][kParts];
#pragma GCC unroll 4
  for (int q = 0; q < Count; ++q)
#pragma GCC unroll 4
    for (int part = 0; part < kParts; ++part) total[q][part] = _mm256_setzero_si256();
  for (int64_t d = 0; d < dim; d += 4, group += kGroupStep) {
#pragma GCC unroll 4
    for (int part = 0; part < kParts; ++part) {
      __m128i bytes;
      std::memcpy(&bytes, group + 16 * part, sizeof bytes);
      const __m256i rows = _mm256_cvtepu8_epi16(bytes);
#pragma GCC unroll 4
      for (int q = 0; q < Count; ++q) {
        int32_t four;
        std::memcpy(&four, queries + q * dim + d, sizeof four);
        const __m256i query = _mm256_broadcastq_epi64(_mm_cvtepi8_epi16(_mm_cvtsi32_si128(four)));
        total[q][part] = _mm256_add_epi32(total[q][part], _mm256_madd_epi16(rows, query));
      }
    }
  }
  for (int q = 0; q < Count; ++q)
    for (int part = 0; part < kParts; ++part) {
      int32_t halves[8];
      std::memcpy(halves, &total[q][part], sizeof halves);
      for (int row = 0; row < 4; ++row)
        out[q * width + 4 * part + row] =
            static_cast<float>(halves[2 * row] + halves[2 * row + 1] - 128 * sums[q]) * scales[q];
    }
}

SEMBLANCE_AVX2 void score_codes_avx2(const uint8_t* rows, int64_t groups, int64_t dim, const int8_t* queries,
                                     const int32_t* sums, const float* scales, int64_t count, float* out,
                                     int64_t width) {
  constexpr int kMost = 2;  // 8 of the 16 registers hold sums
  constexpr decltype(&score_sixteen<1>) kBy[] = {score_sixteen<1>, score_sixteen<2>};
  for (int64_t g = 0; g < groups; ++g)
    for (int64_t q = 0; q < count; q += kMost)
      for (int64_t i = 0; i < kCodeRows; i += 16)
        kBy[std::min<int64_t>(kMost, count - q) - 1](rows + g * kCodeRows * dim + 4 * i, dim,
                                                     queries + q * dim, sums + q, scales + q,
                                                     out + q * width + g * kCodeRows + i, width);
}
#endif

SEMBLANCE_MULTIVERSION
void score_codes_plainly(const uint8_t* rows, int64_t groups, int64_t dim, const int8_t* queries,
                         const int32_t* sums, const float* scales, int64_t count, float* out, int64_t width) {
  for (int64_t g = 0; g < groups; ++g)
    for (int64_t q = 0; q < count; ++q) {
      const uint8_t* group = rows + g * kCodeRows * dim;
      int32_t total[4 * kCodeRows];
      std::fill(total, total + 4 * kCodeRows, 0);
      for (int64_t d = 0; d < dim; d += 4, group += kGroupStep) {
        int16_t four[kGroupStep];
        for (int64_t i = 0; i < kGroupStep; ++i) four[i] = queries[q * dim + d + i % 4];
        for (int64_t i = 0; i < kGroupStep; ++i) total[i] += static_cast<int16_t>(group[i]) * four[i];
      }
      for (int64_t i = 0; i < kCodeRows; ++i) {
        const int32_t* row = total + 4 * i;
        const int32_t sum = row[0] + row[1] + row[2] + row[3] - 128 * sums[q];
        out[q * width + g * kCodeRows + i] = static_cast<float>(sum) * scales[q];
      }
    }
}

}  // namespace

SEMBLANCE_MULTIVERSION
Packed pack_codes(const float* values, float factor, int64_t dim, int8_t* codes) {
  constexpr int64_t kLanes = 16;
  float most[kLanes] = {};
  int64_t d = 0;
  for (; d + kLanes <= dim; d += kLanes)
    for (int64_t lane = 0; lane < kLanes; ++lane) {
      const float x = std::fabs(values[d + lane]);
      most[lane] = x > most[lane] ? x : most[lane];
    }
  for (; d < dim; ++d) most[0] = std::max(most[0], std::fabs(values[d]));
  const float largest = *std::max_element(most, most + kLanes);
  const float scale = largest * factor / 127, inverse = largest > 0 ? 127 / largest : 0;
  constexpr float kWhole = 0x1.8p23f;  // a sum with it has no digits after the point
  float lanes[kLanes] = {};
  const auto pack = [&](int64_t first, int64_t count) __attribute__((always_inline)) {
    int32_t numbers[kLanes];
    for (int64_t lane = 0; lane < count; ++lane) {
      const float value = values[first + lane], whole = (value * inverse + kWhole) - kWhole;
      const float left = value * factor - scale * whole;
      lanes[lane] += left * left;
      numbers[lane] = static_cast<int32_t>(whole);
    }
    for (int64_t lane = 0; lane < count; ++lane) codes[first + lane] = static_cast<int8_t>(numbers[lane]);
  };
  for (d = 0; d + kLanes <= dim; d += kLanes) pack(d, kLanes);
  pack(d, dim - d);
  float rest = 0;
  for (const float lane : lanes) rest += lane;
  return {scale, 1.001f * std::sqrt(rest)};  // with what float32 loses
}

void lay_out_codes(const int8_t* rows, int64_t dim, uint8_t* group) {
  for (int64_t d = 0; d < dim; d += 4)
    for (int64_t i = 0; i < kCodeRows; ++i, group += 4) {
      uint32_t four;
      std::memcpy(&four, rows + i * dim + d, sizeof four);
      four ^= 0x80808080;  // 128 more
      std::memcpy(group, &four, sizeof four);
    }
}

std::span<const ScoreCodes> code_kernels() {
  static const auto kernels = [] {
    std::vector<ScoreCodes> there;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bw"))
      there.push_back(score_codes_vnni);
    if (__builtin_cpu_supports("avx2")) there.push_back(score_codes_avx2);
#endif
    there.push_back(score_codes_plainly);
    return there;
  }();
  return kernels;
}

}  // namespace semblance::kernels
