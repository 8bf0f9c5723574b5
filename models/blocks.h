// Work in blocks whose bounds depend on its size alone, so that results are the same bits for any number of
// threads. A product that a BLAS spreads over threads by itself may be summed in another order for each
// number of them.
#pragma once

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cstdint>

namespace semblance {

/// While it lives, a product on this thread is computed by this thread alone, and cut as for one thread.
/// MKL cuts a product for as many threads as LibTorch has, even within a parallel region where it gets one,
/// and on processors without AVX-512 the rows at the cuts may be summed in another order.
class SerialProducts {
 public:
  SerialProducts();
  ~SerialProducts();
  SerialProducts(const SerialProducts&) = delete;
  SerialProducts& operator=(const SerialProducts&) = delete;

 private:
  int before_ = 0;
};

/// Calls work(begin, end) for the blocks of [0, size), on any thread. Products within `work` are serial.
template <class Work>
void for_each_block(int64_t size, Work&& work) {
  constexpr int64_t kLargest = 64;
  const int64_t block = std::clamp<int64_t>((size + 3) / 4, 1, kLargest);
  at::parallel_for(0, (size + block - 1) / block, 1, [&](int64_t first, int64_t last) {
    const SerialProducts serial;
    for (int64_t i = first; i < last; ++i) work(i * block, std::min(size, (i + 1) * block));
  });
}

/// out = a · b, by blocks of rows, of columns where there is one row: a [n, k], b [k, m], out [n, m], on the
/// CPU.
void multiply_into(const at::Tensor& out, const at::Tensor& a, const at::Tensor& b);

/// x · weightᵀ + bias, as torch::nn::Linear has it: x [n, in], weight [out, in], bias [out].
at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias);

/// Sum of the squares of a contiguous float32 tensor's entries: float64 [], on its device.
at::Tensor sum_of_squares(const at::Tensor& tensor);

}  // namespace semblance
