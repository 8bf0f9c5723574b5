// Exact nearest neighbours by cosine: blocked matrix products and, for each query, a heap.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <vector>

namespace semblance {

struct Neighbor {
  int64_t id = 0;        ///< row
  float similarity = 0;  ///< cosine
};

/// The `k` rows of `rows` ([n, dim], float32, on the CPU) of the largest cosine to each of `queries` ([q,
/// dim]), the nearest first and of equals the lower row; fewer where n < k. A zero vector is near to nothing,
/// as a row and as a query. `norms`: lengths of the rows, [n]. `excluded`: for each query the rows that do
/// not count, or empty. What is returned was measured in double precision, so that it does not depend on how
/// the products were cut into blocks or shared among threads.
std::vector<std::vector<Neighbor>> nearest(const at::Tensor& rows, const at::Tensor& norms,
                                           const at::Tensor& queries, int64_t k,
                                           std::span<const std::vector<int64_t>> excluded = {});

/// How many queries to ask at once, so that their answers take a bounded amount of memory.
int64_t queries_at_once(int64_t k);

/// Cosine of two vectors of one length, summed in double; 0 where either is zero. cosine(a, b) is cosine(b,
/// a), and cosine(a, a) is 1.
double cosine(std::span<const float> a, std::span<const float> b);

}  // namespace semblance
