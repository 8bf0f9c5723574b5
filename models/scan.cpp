#include "models/scan.h"

#include <ATen/Functions.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "models/blocks.h"
#include "models/code_kernels.h"
#include "models/kernels.h"

namespace semblance {
namespace {

constexpr double kRounding = 0x1p-24;  // of float32, relative
constexpr float kNone = std::numeric_limits<float>::quiet_NaN();

// What float32 adds to the error of a cosine that is a sum of `terms` products: Higham, Accuracy and
// Stability of Numerical Algorithms, 3.1. The eight are scales, lengths and bounds.
double rounding_of(int64_t terms) {
  const double n = static_cast<double>(terms + 8) * kRounding;
  return 1.01 * n / (1 - std::min(n, 0.5));
}

at::Tensor unit_queries(const at::Tensor& queries) {
  const auto from = queries.contiguous();
  auto unit = at::empty_like(from);
  const int64_t count = from.size(0), dim = from.size(1);
  const float* in = from.const_data_ptr<float>();
  float* out = unit.mutable_data_ptr<float>();
  for (int64_t q = 0; q < count; ++q, in += dim, out += dim) {
    const double length = std::sqrt(kernels::sum_of_squares(in, dim));
    for (int64_t d = 0; d < dim; ++d)
      out[d] = length > 0 ? static_cast<float>(static_cast<double>(in[d]) / length) : 0;
  }
  return unit;
}

class FloatScan : public Scan {
 public:
  FloatScan(at::Tensor rows, const at::Tensor& norms)
      : rows_(std::move(rows)),
        scales_(norms.reciprocal().masked_fill_(norms.eq(0), kNone).contiguous()),
        errors_(at::zeros_like(scales_)) {}

  int64_t size() const override { return rows_.size(0); }
  int64_t dim() const override { return rows_.size(1); }
  int64_t step() const override { return 1; }
  Queries prepare(const at::Tensor& queries) const override {
    const auto count = static_cast<size_t>(queries.size(0));
    return {.unit = unit_queries(queries),
            .codes = {},
            .sums = {},
            .scales = {},
            .factors = std::vector<float>(count),
            .rests = std::vector<float>(count, static_cast<float>(rounding_of(dim())))};
  }
  void score(const Queries& queries, int64_t begin, int64_t size, const at::Tensor& out) const override {
    multiply_into(out.narrow(1, 0, size), queries.unit, rows_.narrow(0, begin, size).t());
  }
  const float* scales() const override { return scales_.const_data_ptr<float>(); }
  const float* errors() const override { return errors_.const_data_ptr<float>(); }
  const float* row(int64_t id, float*) const override { return rows_.const_data_ptr<float>() + id * dim(); }

 private:
  at::Tensor rows_, scales_, errors_;
};

// A product of two unit vectors x = x' + e and y = y' + f, where x' and y' are what the codes say, is x'·y'
// but for x'·f + e·y, which is |x'| |f| + |e| at most (Cauchy and Schwarz).
class CodeScan : public Scan {
 public:
  CodeScan(int64_t n, int64_t dim, ReadRows read)
      : n_(n),
        dim_(dim),
        read_(std::move(read)),
        codes_(at::empty({code_bytes(n, dim)}, at::kByte)),
        scales_(at::empty({n})),
        errors_(at::empty({n})) {
    TORCH_CHECK(dim <= kMostPacked, "too many dimensions for 32 bits");
    auto* codes = codes_.mutable_data_ptr<uint8_t>();
    auto* scales = scales_.mutable_data_ptr<float>();
    auto* errors = errors_.mutable_data_ptr<float>();
    const int64_t groups = (n + kernels::kCodeRows - 1) / kernels::kCodeRows;
    constexpr int64_t kAtOnce = 16;  // groups
    const auto cost = 0.5 * static_cast<double>(kAtOnce * kernels::kCodeRows * dim);
    parallel_for((groups + kAtOnce - 1) / kAtOnce, cost, [&](int64_t first, int64_t last) {
      std::vector<float> rows(static_cast<size_t>(kAtOnce * kernels::kCodeRows * dim));
      std::vector<int8_t> group(static_cast<size_t>(kernels::kCodeRows * padded()));
      for (int64_t begin = first * kAtOnce; begin < std::min(last * kAtOnce, groups); begin += kAtOnce) {
        const int64_t end = std::min(begin + kAtOnce, groups);
        const int64_t first_row = begin * kernels::kCodeRows;
        read_(first_row, std::min(n, end * kernels::kCodeRows) - first_row, rows.data());
        for (int64_t g = begin; g < end; ++g) {
          std::ranges::fill(group, int8_t{0});
          for (int64_t id = g * kernels::kCodeRows; id < std::min(n, (g + 1) * kernels::kCodeRows); ++id) {
            const float* row = rows.data() + (id - first_row) * dim;
            const double length = std::sqrt(kernels::sum_of_squares(row, dim));
            const auto packed = kernels::pack_codes(row, static_cast<float>(1 / length), dim,
                                                    group.data() + id % kernels::kCodeRows * padded());
            scales[id] = length > 0 ? packed.scale : kNone;
            errors[id] = packed.error;
          }
          kernels::lay_out_codes(group.data(), padded(), codes + g * kernels::kCodeRows * padded());
        }
      }
    });
  }

  int64_t size() const override { return n_; }
  int64_t dim() const override { return dim_; }
  int64_t step() const override { return kernels::kCodeRows; }
  Queries prepare(const at::Tensor& all) const override {
    const int64_t count = all.size(0);
    const auto places = static_cast<size_t>(count);
    Queries queries{.unit = unit_queries(all),
                    .codes = at::zeros({count, padded()}, at::kChar),
                    .sums = std::vector<int32_t>(places),
                    .scales = std::vector<float>(places),
                    .factors = std::vector<float>(places),
                    .rests = std::vector<float>(places)};
    for (int64_t q = 0; q < count; ++q) {
      int8_t* codes = queries.codes.mutable_data_ptr<int8_t>() + q * padded();
      const auto packed =
          kernels::pack_codes(queries.unit.const_data_ptr<float>() + q * dim_, 1, dim_, codes);
      const auto at = static_cast<size_t>(q);
      for (int64_t d = 0; d < dim_; ++d) queries.sums[at] += codes[d];
      queries.scales[at] = packed.scale;
      // |x'| is 1 at most but for the error.
      queries.factors[at] = 1.00001f * (1 + packed.error);
      queries.rests[at] = 1.00001f * packed.error + static_cast<float>(rounding_of(8));
    }
    return queries;
  }
  void score(const Queries& queries, int64_t begin, int64_t size, const at::Tensor& out) const override {
    const int64_t count = queries.unit.size(0), width = out.size(1), first = begin / kernels::kCodeRows;
    const auto* from = queries.codes.const_data_ptr<int8_t>();
    auto* to = out.mutable_data_ptr<float>();
    const int64_t groups = (size + kernels::kCodeRows - 1) / kernels::kCodeRows;
    const auto cost = 0.006 * static_cast<double>(kernels::kCodeRows * count * dim_);
    const auto score_codes = kernels::code_kernels().front();
    parallel_for(groups, cost, [&](int64_t group, int64_t end) {
      score_codes(codes_.const_data_ptr<uint8_t>() + (first + group) * kernels::kCodeRows * padded(),
                  end - group, padded(), from, queries.sums.data(), queries.scales.data(), count,
                  to + group * kernels::kCodeRows, width);
    });
  }
  const float* scales() const override { return scales_.const_data_ptr<float>(); }
  const float* errors() const override { return errors_.const_data_ptr<float>(); }
  const float* row(int64_t id, float* buffer) const override {
    read_(id, 1, buffer);
    return buffer;
  }

 private:
  static int64_t padded(int64_t dim) { return (dim + 3) / 4 * 4; }
  int64_t padded() const { return padded(dim_); }
  static int64_t code_bytes(int64_t n, int64_t dim) {
    return (n + kernels::kCodeRows - 1) / kernels::kCodeRows * kernels::kCodeRows * padded(dim);
  }

  int64_t n_, dim_;
  ReadRows read_;
  at::Tensor codes_, scales_, errors_;
};

}  // namespace

std::unique_ptr<Scan> scan_floats(at::Tensor rows, const at::Tensor& norms) {
  return std::make_unique<FloatScan>(std::move(rows), norms);
}

std::unique_ptr<Scan> scan_codes(int64_t n, int64_t dim, ReadRows read) {
  return std::make_unique<CodeScan>(n, dim, std::move(read));
}

}  // namespace semblance
