// Exact nearest neighbours by cosine: a scan leaves out what cannot be one of them, the rest is measured.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <vector>

#include "models/scan.h"

namespace semblance {

struct Neighbor {
  int64_t id = 0;        ///< row
  float similarity = 0;  ///< cosine
};

struct NearestOptions {
  int64_t k = 10;
  double min_score = -std::numeric_limits<double>::infinity();  ///< what is less near is no neighbour
  std::span<const std::vector<int64_t>> excluded =
      {};  ///< of each query the rows that do not count, or empty
};

/// The `k` rows of the largest cosine to each of `queries` (float32 [q, dim], on the CPU), the nearest first
/// and of equals the lower row; fewer where there are fewer. A zero vector is near to nothing, as a row and
/// as a query. The answer is that of measuring every row in double precision: it depends on the rows and the
/// query alone, not on the kind of scan, on threads or on what else is asked. Throws what reading a row
/// throws.
std::vector<std::vector<Neighbor>> nearest(const Scan& rows, const at::Tensor& queries,
                                           const NearestOptions& options);

/// The same of `rows` (float32 [n, dim]) as they lie; `norms`: their lengths, [n].
std::vector<std::vector<Neighbor>> nearest(const at::Tensor& rows, const at::Tensor& norms,
                                           const at::Tensor& queries, int64_t k,
                                           std::span<const std::vector<int64_t>> excluded = {});

/// Calls visit(row, later) for each row that has a `later` one, or several, with a cosine of `min_score` to
/// it or more: every two rows that are so near once, in the order of the rows; `later` in their own order.
/// The pairs of some hundred rows are in memory at a time.
void near_pairs(const Scan& rows, double min_score,
                const std::function<void(int64_t row, std::span<const Neighbor> later)>& visit);

/// How many queries to ask at once, so that their answers take a bounded amount of memory.
int64_t queries_at_once(int64_t k);

/// Cosine of two vectors of one length, summed in double; 0 where either is zero. cosine(a, b) is cosine(b,
/// a), and cosine(a, a) is 1.
double cosine(std::span<const float> a, std::span<const float> b);

}  // namespace semblance
