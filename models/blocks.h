// Work in blocks whose bounds depend on its size alone, so that results are the same bits for any number of
// threads.
#pragma once

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cstdint>
#include <initializer_list>

#include "models/parallel.h"
#include "models/ranks.h"

namespace semblance {

/// Of how many things a block of work on `size` things consists.
constexpr int64_t block_size(int64_t size) {
  constexpr int64_t kLargest = 64;
  return std::clamp<int64_t>((size + 3) / 4, 1, kLargest);
}

/// Calls work(begin, end) for the blocks of [begin, end), which begins with one of [0, size), on any thread;
/// `cost` as parallel_for's.
template <class Work>
void for_blocks_within(int64_t begin, int64_t end, int64_t size, double cost, Work&& work) {
  const int64_t block = block_size(size);
  parallel_for((end - begin + block - 1) / block, static_cast<double>(block) * cost,
               [&](int64_t first, int64_t last) {
                 for (int64_t i = first; i < last; ++i)
                   work(begin + i * block, std::min(end, begin + (i + 1) * block));
               });
}

/// The same for all blocks of [0, size).
template <class Work>
void for_each_block(int64_t size, double cost, Work&& work) {
  for_blocks_within(0, size, size, cost, work);
}

/// The same, the blocks shared with other ranks where that is worth it; work(begin, end) makes rows begin to
/// end of `results`, [size, …], and nothing else.
template <class Work>
void for_each_shared_block(int64_t size, double cost, std::initializer_list<at::Tensor> results,
                           Work&& work) {
  double bytes = 0;
  for (const auto& rows : results) bytes += static_cast<double>(rows.nbytes());
  if (!worth_sharing(cost * static_cast<double>(size), bytes)) return for_each_block(size, cost, work);
  const auto bounds = share_bounds(size, block_size(size));
  const auto own = static_cast<size_t>(this_rank());
  for_blocks_within(bounds[own], bounds[own + 1], size, cost, work);
  for (const auto& rows : results) ranks()->gather(rows, bounds);
}

/// About how many nanoseconds a product of a row of `inner` numbers with a matrix of `columns` takes.
constexpr double product_cost(int64_t inner, int64_t columns) {
  return 0.02 * static_cast<double>(inner) * static_cast<double>(columns);
}

/// Rows [begin, end) of out = a · b, on the CPU, by the calling thread; autograd does not look on.
void multiply_rows(const at::Tensor& a, const at::Tensor& b, int64_t begin, int64_t end,
                   const at::Tensor& out);

/// out = a · b, by blocks of rows, of columns where there is one row: a [n, k], b [k, m], out [n, m], on the
/// CPU.
void multiply_into(const at::Tensor& out, const at::Tensor& a, const at::Tensor& b);

/// x · weightᵀ + bias, as torch::nn::Linear has it: x [n, in], weight [out, in], bias [out].
at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias);

/// Sum of the squares of a contiguous float32 tensor's entries: float64 [], on its device.
at::Tensor sum_of_squares(const at::Tensor& tensor);

}  // namespace semblance
