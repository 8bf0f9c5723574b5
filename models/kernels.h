// Inner loops on the CPU, compiled for several instruction sets and chosen at load time. Each result is
// computed by one thread in a fixed order, so callers may divide the work among any number of threads.
#pragma once

#include <cstdint>

// One binary for old and new processors. Sanitizers cannot follow the run-time choice.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(SEMBLANCE_SANITIZED)
#define SEMBLANCE_MULTIVERSION __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define SEMBLANCE_MULTIVERSION
#endif

namespace semblance::kernels {

/// out[b, :] = scale_b · sum of weight[ids[i], :] over i in [offsets[b], offsets[b + 1]), for b in [begin,
/// end); scale_b is 1, or 1 / length when `mean`.
void pool_bags(const float* weight, const int64_t* ids, const int64_t* offsets, int64_t begin, int64_t end,
               int64_t dim, bool mean, float* out);

/// The transpose: out[r, :] = sum of scale_b · gradient[b, :] over the bags b in bags[starts[r], starts[r +
/// 1]), for r in [begin, end).
void gather_bags(const float* gradient, const int32_t* bags, const int64_t* starts, const float* scale,
                 int64_t begin, int64_t end, int64_t dim, float* out);

/// The same by itself, without that index: out[ids[i], :] += scale_b · gradient[b, :] for i in [offsets[b],
/// offsets[b + 1]), for b in [0, bags); scale_b is weights[i] where there are some, or 1, or 1 / length when
/// `mean`. The same bits, added to zeros.
void scatter_bags(const float* gradient, const int64_t* ids, const int64_t* offsets, const float* weights,
                  int64_t bags, int64_t dim, bool mean, float* out);

/// As pool_bags without a mean, each row weighted: out[b, :] = sum of weights[i] · weight[ids[i], :].
void pool_weighted_bags(const float* weight, const int64_t* ids, const float* weights, const int64_t* offsets,
                        int64_t begin, int64_t end, int64_t dim, float* out);

/// As pool_bags, or with `weights` as pool_weighted_bags, of rows scales[r] · values[r, :].
void pool_packed_bags(const int8_t* values, const float* scales, const int64_t* ids, const float* weights,
                      const int64_t* offsets, int64_t begin, int64_t end, int64_t dim, bool mean, float* out);

/// The transpose: out[r, :] = sum of weights[i] · gradient[bags[i], :] over i in places[starts[r], starts[r +
/// 1]), for r in [begin, end).
void gather_weighted_bags(const float* gradient, const int32_t* bags, const float* weights,
                          const int32_t* places, const int64_t* starts, int64_t begin, int64_t end,
                          int64_t dim, float* out);

/// out[i] = query · rows[ids[i], :] for i in [0, count). A product is summed in one order, wherever it
/// stands.
void dot_rows(const float* query, const float* rows, const int32_t* ids, int64_t count, int64_t dim,
              float* out);

constexpr int64_t kSkipped = 64;

/// With reach[i] = scores[i] · scales[i] + factor · errors[i] + rest: the first i, from `begin` on in steps
/// of kSkipped, for which one of the next kSkipped reaches `bar`, or that has fewer before `size`. What is
/// not a number never does.
int64_t skip_below(const float* scores, const float* scales, const float* errors, float factor, float rest,
                   float bar, int64_t begin, int64_t size);

/// out[i, j] = sum of a[i · row_stride + k · inner_stride] · b[k, j] over k in [0, inner), for i in [begin,
/// end). The last bits depend on i - begin: blocks are to begin where they always do (models/blocks.h).
void small_product(const float* a, int64_t row_stride, int64_t inner_stride, const float* b, int64_t begin,
                   int64_t end, int64_t inner, int64_t columns, float* out);

/// differences[i] = a[i] - b[i] for i in [0, size); returns the sum of their squares.
float squared_differences(const float* a, const float* b, int64_t size, float* differences);

/// out[c] = sum of matrix[r, c] over all r, for a matrix [rows, columns].
void column_sums(const float* matrix, int64_t rows, int64_t columns, float* out);

/// Sum of values[i]² over i in [0, size).
double sum_of_squares(const float* values, int64_t size);

/// out[r, :] = rows[r, :] · inverse_norms[r], inverse_norms[r] = 1 / max(length of rows[r, :], eps), for r in
/// [begin, end).
void unit_rows(const float* rows, int64_t begin, int64_t end, int64_t dim, float eps, float* out,
               float* inverse_norms);

/// The gradient by rows[r, :] from that by unit[r, :] = unit_rows(rows)[r, :], times `scale`. Rows no longer
/// than eps were divided by a constant.
void unit_rows_gradient(const float* unit, const float* inverse_norms, const float* gradient, int64_t begin,
                        int64_t end, int64_t dim, float eps, float scale, float* out);

// Of a square matrix of scores, [n, n], for rows or columns in [begin, end); see models/nt_xent.h.

/// scores[i, j] = −∞ where groups[i] = groups[j] and i ≠ j.
void mask_equal_groups(const int64_t* groups, int64_t begin, int64_t end, int64_t n, float* scores);
/// Multiplies rows by `scale`; own[i] = scores[i, i]; lse[i] = log Σⱼ exp(scores[i, j]).
void scale_and_row_lse(float scale, int64_t begin, int64_t end, int64_t n, float* scores, float* own,
                       float* lse);
/// lse[j] = log Σᵢ exp(scores[i, j]) over all `rows` rows, of columns in [begin, end).
void column_lse(const float* scores, int64_t rows, int64_t n, int64_t begin, int64_t end, float* lse);
/// NT-Xent's total by scores, in their place: ½ (exp(scores[i, j] − row_lse[i]) + exp(scores[i, j] −
/// column_lse[j])) − [i = j].
void nt_xent_gradient(const float* row_lse, const float* column_lse, int64_t begin, int64_t end, int64_t n,
                      float* scores);

// The same where scores, once multiplied by `scale`, are none above `scale` but by rounding, nor below it by
// more than 80: exp(scores[i, j] − scale) takes the place of each.
void exponentials_and_row_lse(float scale, int64_t begin, int64_t end, int64_t n, float* scores, float* own,
                              float* lse);
void column_lse_of_exponentials(float scale, const float* exponentials, int64_t rows, int64_t n,
                                int64_t begin, int64_t end, float* lse);
void nt_xent_gradient_of_exponentials(float scale, const float* row_lse, const float* column_lse,
                                      int64_t begin, int64_t end, int64_t n, float* exponentials);

/// lse[i] = log Σⱼ exp(scores[i, j]), of rows in [begin, end) of a matrix [rows, n].
void row_lse(const float* scores, int64_t begin, int64_t end, int64_t n, float* lse);
/// out[i, j] = factor · wᵢ · (exp(scores[i, j] − lse[i]) − [j = targets[i]]); wᵢ is 1 where `weights` is
/// null.
void softmax_gradient(const float* scores, const int64_t* targets, const float* lse, float factor,
                      const float* weights, int64_t begin, int64_t end, int64_t n, float* out);

// Of candidates that a row has beside the matrix, negatives[starts[i]] to negatives[starts[i + 1] - 1], for
// rows in [begin, end).

/// scores[k] = scale · rows[i, :] · negatives[k, :]; lse[i] = log(exp(lse[i]) + Σₖ exp(scores[k])).
void negative_scores(const float* rows, const float* negatives, const int64_t* starts, int64_t begin,
                     int64_t end, int64_t dim, float scale, float* scores, float* lse);
/// With g = ½ exp(scores[k] − lse[i]): adds g · negatives[k, :] to row_gradients[i, :], g · rows[i, :] to
/// gradients[k, :] and g · scores[k] to dot[i].
void negative_gradient(const float* rows, const float* negatives, const int64_t* starts, int64_t begin,
                       int64_t end, int64_t dim, const float* lse, const float* scores, float* row_gradients,
                       float* gradients, double* dot);

}  // namespace semblance::kernels
