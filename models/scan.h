// Rows that are searched by cosine, and a cheap look at all of them: scores that are off by no more than a
// bound that is known, so that what cannot be among the nearest is left out and the rest is measured.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>

namespace semblance {

/// Never changes once made, so any number of threads may use it at once.
class Scan {
 public:
  /// Queries in the form in which rows are looked at, with what their bounds need.
  struct Queries {
    at::Tensor unit;             ///< [queries, dim], each of length 1, or 0
    at::Tensor codes;            ///< of an int8 scan: int8 [queries, dim, filled up to a multiple of 4]
    std::vector<int32_t> sums;   ///< of the codes
    std::vector<float> scales;   ///< query q is scales[q] · codes[q, :], but for its error
    std::vector<float> factors;  ///< |cosine - score · scales()[row]| ≤ factors[q] · errors()[row] + rests[q]
    std::vector<float> rests;
  };

  virtual ~Scan() = default;
  virtual int64_t size() const = 0;
  virtual int64_t dim() const = 0;
  /// Rows are looked at from multiples of this on.
  virtual int64_t step() const = 0;
  /// `queries`: float32 [queries, dim], on the CPU.
  virtual Queries prepare(const at::Tensor& queries) const = 0;
  /// out[q, i]: score of query q and row `begin` + i, for i in [0, size), out [queries, width], width ≥ size
  /// and a multiple of step(). Spreads its work over threads.
  virtual void score(const Queries& queries, int64_t begin, int64_t size, const at::Tensor& out) const = 0;
  /// What a row's scores are multiplied by, [size]; not a number for a row of length 0, which is near to
  /// nothing.
  virtual const float* scales() const = 0;
  virtual const float* errors() const = 0;
  /// The row itself, [dim]: where it lies, or a copy in `buffer`.
  virtual const float* row(int64_t id, float* buffer) const = 0;
};

/// Looks at the rows themselves: `rows` float32 [n, dim], `norms` their lengths, [n].
std::unique_ptr<Scan> scan_floats(at::Tensor rows, const at::Tensor& norms);

/// Copies `count` rows from `first` on into `out`, float32 [count, dim]. Called by several threads at once.
using ReadRows = std::function<void(int64_t first, int64_t count, float* out)>;

/// Looks at the rows in eight bits a number, a quarter of the memory, of which it takes about dim + 8 bytes a
/// row. The rows are read once to make them, and then those alone that may be among the nearest. `dim` up to
/// kMostPacked.
std::unique_ptr<Scan> scan_codes(int64_t n, int64_t dim, ReadRows read);
constexpr int64_t kMostPacked = int64_t{1} << 16;  // dimensions, whose products' sums fit 32 bits

}  // namespace semblance
