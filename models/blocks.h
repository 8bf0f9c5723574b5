// Work in blocks whose bounds depend on its size alone, so that results are the same bits for any number of
// threads.
#pragma once

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cstdint>

#include "models/parallel.h"

namespace semblance {

/// Calls work(begin, end) for the blocks of [0, size), on any thread; `cost` as parallel_for's.
template <class Work>
void for_each_block(int64_t size, double cost, Work&& work) {
  constexpr int64_t kLargest = 64;
  const int64_t block = std::clamp<int64_t>((size + 3) / 4, 1, kLargest);
  parallel_for((size + block - 1) / block, static_cast<double>(block) * cost,
               [&](int64_t first, int64_t last) {
                 for (int64_t i = first; i < last; ++i) work(i * block, std::min(size, (i + 1) * block));
               });
}

/// About how many nanoseconds a product of a row of `inner` numbers with a matrix of `columns` takes.
constexpr double product_cost(int64_t inner, int64_t columns) {
  return 0.02 * static_cast<double>(inner) * static_cast<double>(columns);
}

/// out = a · b, by blocks of rows, of columns where there is one row: a [n, k], b [k, m], out [n, m], on the
/// CPU.
void multiply_into(const at::Tensor& out, const at::Tensor& a, const at::Tensor& b);

/// x · weightᵀ + bias, as torch::nn::Linear has it: x [n, in], weight [out, in], bias [out].
at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias);

/// Sum of the squares of a contiguous float32 tensor's entries: float64 [], on its device.
at::Tensor sum_of_squares(const at::Tensor& tensor);

}  // namespace semblance
