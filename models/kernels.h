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

/// out[i] = query · rows[ids[i], :] for i in [0, count). A product is summed in one order, wherever it
/// stands.
void dot_rows(const float* query, const float* rows, const int32_t* ids, int64_t count, int64_t dim,
              float* out);

}  // namespace semblance::kernels
