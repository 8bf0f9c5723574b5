// Each kernel beside plain loops in double precision, at sizes below, at and between its blocks.
#include "models/kernels.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace semblance::kernels {
namespace {

using Floats = std::vector<float>;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kUntouched = 77;

// The parts of these tests that are cut off at either end, which no kernel may touch.
constexpr int64_t kBegin = 1, kRows = 7, kEnd = 6;

Floats random(int64_t size, float scale = 1) {
  static std::mt19937 generator(5);
  std::uniform_real_distribution<float> draw(-scale, scale);
  Floats values(static_cast<size_t>(size));
  for (auto& value : values) value = draw(generator);
  return values;
}

Floats untouched(int64_t size) {
  return Floats(static_cast<size_t>(size), kUntouched);
}

// float32's error in a sum of some hundred products of numbers up to 1.
void expect_near(float found, double expected) {
  EXPECT_NEAR(found, expected, 1e-5 * (1 + std::abs(expected)));
}

void expect_rows_untouched_outside(const Floats& out, int64_t width) {
  for (size_t i = 0; i < out.size(); ++i) {
    const auto row = static_cast<int64_t>(i) / width;
    if (row < kBegin || row >= kEnd) {
      EXPECT_EQ(out[i], kUntouched) << "row " << row;
    }
  }
}

class Kernels : public testing::TestWithParam<int64_t> {};
INSTANTIATE_TEST_SUITE_P(Sizes, Kernels, testing::Values(1, 3, 8, 15, 16, 17, 31, 32, 33, 40, 47, 100, 301));

TEST_P(Kernels, PoolBags) {
  const int64_t dim = GetParam();
  const auto weight = random(5 * dim);
  const std::vector<int64_t> ids = {4, 0, 0, 2, 3, 1, 2, 4, 1, 0, 0, 0, 3, 4, 2},
                             offsets = {0, 1, 1, 3, 4, 13, 14, 15};
  for (const bool mean : {false, true}) {
    auto out = untouched(kRows * dim);
    pool_bags(weight.data(), ids.data(), offsets.data(), kBegin, kEnd, dim, mean, out.data());
    expect_rows_untouched_outside(out, dim);
    for (int64_t b = kBegin; b < kEnd; ++b)
      for (int64_t d = 0; d < dim; ++d) {
        double sum = 0;
        for (int64_t i = offsets[b]; i < offsets[b + 1]; ++i) sum += weight[ids[i] * dim + d];
        const auto length = static_cast<double>(offsets[b + 1] - offsets[b]);
        expect_near(out[b * dim + d], mean && length > 0 ? sum / length : sum);
      }
  }
}

TEST_P(Kernels, GatherBags) {
  const int64_t dim = GetParam();
  const auto gradient = random(4 * dim), scale = random(4);
  const std::vector<int32_t> bags = {3, 0, 1, 2, 3, 3, 0, 2};
  const std::vector<int64_t> starts = {0, 1, 1, 4, 5, 6, 7, 8};
  auto out = untouched(kRows * dim);
  gather_bags(gradient.data(), bags.data(), starts.data(), scale.data(), kBegin, kEnd, dim, out.data());
  expect_rows_untouched_outside(out, dim);
  for (int64_t r = kBegin; r < kEnd; ++r)
    for (int64_t d = 0; d < dim; ++d) {
      double sum = 0;
      for (int64_t i = starts[r]; i < starts[r + 1]; ++i)
        sum += static_cast<double>(scale[bags[i]]) * gradient[bags[i] * dim + d];
      expect_near(out[r * dim + d], sum);
    }
}

TEST_P(Kernels, ScatterBags) {
  const int64_t dim = GetParam();
  const auto gradient = random(3 * dim), weights = random(6);
  const std::vector<int64_t> ids = {3, 0, 3, 3, 1, 3}, offsets = {0, 1, 1, 6};
  for (const bool mean : {false, true})
    for (const float* given : {static_cast<const float*>(nullptr), weights.data()}) {
      Floats out(static_cast<size_t>(4 * dim));
      scatter_bags(gradient.data(), ids.data(), offsets.data(), given, 3, dim, mean, out.data());
      std::vector<double> expected(out.size());
      for (int64_t b = 0; b < 3; ++b)
        for (int64_t i = offsets[b]; i < offsets[b + 1]; ++i)
          for (int64_t d = 0; d < dim; ++d)
            expected[ids[i] * dim + d] +=
                gradient[b * dim + d] * (given  ? given[i]
                                         : mean ? 1.0 / static_cast<double>(offsets[b + 1] - offsets[b])
                                                : 1.0);
      for (size_t i = 0; i < out.size(); ++i) expect_near(out[i], expected[i]);
    }
}

TEST_P(Kernels, SmallProduct) {
  const int64_t columns = GetParam(), inner = 13;
  // Rows of a transposed matrix.
  const auto a = random(inner * kRows), b = random(inner * columns);
  auto out = untouched(kRows * columns);
  small_product(a.data(), 1, kRows, b.data(), kBegin, kEnd, inner, columns, out.data());
  expect_rows_untouched_outside(out, columns);
  for (int64_t i = kBegin; i < kEnd; ++i)
    for (int64_t j = 0; j < columns; ++j) {
      double sum = 0;
      for (int64_t k = 0; k < inner; ++k) sum += static_cast<double>(a[k * kRows + i]) * b[k * columns + j];
      expect_near(out[i * columns + j], sum);
    }
}

TEST_P(Kernels, SquaredDifferences) {
  const int64_t size = GetParam();
  const auto a = random(size), b = random(size);
  auto differences = untouched(size);
  const float total = squared_differences(a.data(), b.data(), size, differences.data());
  double sum = 0;
  for (int64_t i = 0; i < size; ++i) {
    EXPECT_EQ(differences[i], a[i] - b[i]);
    sum += static_cast<double>(differences[i]) * differences[i];
  }
  expect_near(total, sum);
}

TEST_P(Kernels, DotRowsWhichAreTheSameBitsWhereverTheyStand) {
  const int64_t dim = GetParam();
  const auto query = random(dim), rows = random(4 * dim);
  const std::vector<int32_t> ids = {2, 0, 3, 2, 1, 2};
  auto out = untouched(6);
  dot_rows(query.data(), rows.data(), ids.data(), 5, dim, out.data());
  for (size_t i = 0; i < 5; ++i) {
    double sum = 0;
    for (int64_t d = 0; d < dim; ++d) sum += static_cast<double>(query[d]) * rows[ids[i] * dim + d];
    expect_near(out[i], sum);
  }
  EXPECT_EQ(out[0], out[3]);
  EXPECT_EQ(out[5], kUntouched);
}

TEST_P(Kernels, ColumnSums) {
  const int64_t columns = GetParam();
  for (const int64_t rows : {0, 1, 5, 33}) {
    const auto matrix = random(rows * columns);
    auto out = untouched(columns + 1);
    column_sums(matrix.data(), rows, columns, out.data());
    for (int64_t c = 0; c < columns; ++c) {
      double sum = 0;
      for (int64_t r = 0; r < rows; ++r) sum += matrix[r * columns + c];
      expect_near(out[c], sum);
    }
    EXPECT_EQ(out[columns], kUntouched);
  }
}

TEST_P(Kernels, SumOfSquares) {
  const auto values = random(GetParam());
  double sum = 0;
  for (const double value : values) sum += value * value;
  EXPECT_NEAR(sum_of_squares(values.data(), GetParam()), sum, 1e-12 * (1 + sum));
  EXPECT_EQ(sum_of_squares(values.data(), 0), 0);
}

double product(const Floats& a, const Floats& b, int64_t row, int64_t dim) {
  double sum = 0;
  for (int64_t d = 0; d < dim; ++d) sum += static_cast<double>(a[row * dim + d]) * b[row * dim + d];
  return sum;
}

TEST_P(Kernels, UnitRows) {
  const int64_t dim = GetParam();
  constexpr float kEps = 1e-3f;
  auto rows = random(kRows * dim);
  for (int64_t d = 0; d < dim; ++d) rows[2 * dim + d] = 0;
  auto out = untouched(kRows * dim), inverse = untouched(kRows);
  unit_rows(rows.data(), kBegin, kEnd, dim, kEps, out.data(), inverse.data());
  expect_rows_untouched_outside(out, dim);
  expect_rows_untouched_outside(inverse, 1);
  for (int64_t r = kBegin; r < kEnd; ++r) {
    const double expected = 1 / std::max(std::sqrt(product(rows, rows, r, dim)), static_cast<double>(kEps));
    expect_near(inverse[r], expected);
    for (int64_t d = 0; d < dim; ++d) expect_near(out[r * dim + d], rows[r * dim + d] * expected);
  }
}

// By the definition: u = x / |x|, so the gradient by x is (g − (u · g) u) / |x|; g / eps where |x| is below
// eps.
TEST_P(Kernels, UnitRowsGradient) {
  const int64_t dim = GetParam();
  constexpr float kEps = 1e-3f;
  auto rows = random(kRows * dim);
  for (int64_t d = 0; d < dim; ++d) rows[2 * dim + d] = 0;
  const auto gradient = random(kRows * dim);
  Floats unit(rows.size()), inverse(kRows);
  unit_rows(rows.data(), 0, kRows, dim, kEps, unit.data(), inverse.data());
  auto out = untouched(kRows * dim);
  unit_rows_gradient(unit.data(), inverse.data(), gradient.data(), kBegin, kEnd, dim, kEps, 2, out.data());
  expect_rows_untouched_outside(out, dim);
  for (int64_t r = kBegin; r < kEnd; ++r) {
    const double along = r == 2 ? 0 : product(unit, gradient, r, dim);
    for (int64_t d = 0; d < dim; ++d) {
      const double by_unit = gradient[r * dim + d] - along * unit[r * dim + d];
      // Relative to the row's scale: the two terms may cancel.
      EXPECT_NEAR(out[r * dim + d], 2 * by_unit * inverse[r], 2e-5 * (1 + inverse[r]));
    }
  }
}

// The square matrices: [n, n].

TEST_P(Kernels, MaskEqualGroups) {
  const int64_t n = GetParam(), begin = n / 3, end = n;
  std::vector<int64_t> groups(static_cast<size_t>(n));
  for (int64_t i = 0; i < n; ++i) groups[i] = i % 4 == 1 ? 1 : 100 + i;
  const auto before = random(n * n);
  auto scores = before;
  mask_equal_groups(groups.data(), begin, end, n, scores.data());
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < n; ++j) {
      const bool masked = i >= begin && i < end && i != j && groups[i] == groups[j];
      EXPECT_EQ(scores[i * n + j], masked ? -kInfinity : before[i * n + j]) << i << ", " << j;
    }
}

// Scores as of a small temperature, some of them masked.
Floats random_scores(int64_t n) {
  auto scores = random(n * n, 40);
  for (int64_t i = 0; i < n * n; i += 5)
    if (i / n != i % n) scores[i] = -kInfinity;
  return scores;
}

double log_sum_exp(const Floats& scores, int64_t first, int64_t step, int64_t count) {
  double highest = -kInfinity, sum = 0;
  for (int64_t i = 0; i < count; ++i)
    highest = std::max(highest, static_cast<double>(scores[first + i * step]));
  for (int64_t i = 0; i < count; ++i) sum += std::exp(scores[first + i * step] - highest);
  return highest + std::log(sum);
}

TEST_P(Kernels, ScaleAndRowLse) {
  const int64_t n = GetParam(), begin = n / 3, end = n - n / 4;
  const auto before = random_scores(n);
  auto scores = before, own = untouched(n), lse = untouched(n);
  scale_and_row_lse(2.5f, begin, end, n, scores.data(), own.data(), lse.data());
  for (int64_t i = 0; i < n; ++i) {
    const bool within = i >= begin && i < end;
    for (int64_t j = 0; j < n; ++j) EXPECT_EQ(scores[i * n + j], before[i * n + j] * (within ? 2.5f : 1.0f));
    EXPECT_EQ(own[i], within ? scores[i * n + i] : kUntouched);
    if (within)
      expect_near(lse[i], log_sum_exp(scores, i * n, 1, n));
    else
      EXPECT_EQ(lse[i], kUntouched);
  }
}

TEST_P(Kernels, ColumnLse) {
  const int64_t n = GetParam(), begin = n / 3, end = n - n / 4;
  const auto scores = random_scores(n);
  auto lse = untouched(n);
  column_lse(scores.data(), n, n, begin, end, lse.data());
  for (int64_t j = 0; j < n; ++j) {
    if (j >= begin && j < end)
      expect_near(lse[j], log_sum_exp(scores, j, n, n));
    else
      EXPECT_EQ(lse[j], kUntouched);
  }
}

void expect_nt_xent_gradient(const Floats& scores, const Floats& row_lse, const Floats& column_lse,
                             int64_t begin, int64_t end, const Floats& gradient) {
  const auto n = static_cast<int64_t>(row_lse.size());
  for (int64_t i = begin; i < end; ++i)
    for (int64_t j = 0; j < n; ++j) {
      const double score = scores[i * n + j];
      const double expected =
          0.5 * (std::exp(score - row_lse[i]) + std::exp(score - column_lse[j])) - (i == j ? 1 : 0);
      EXPECT_NEAR(gradient[i * n + j], expected, 2e-5) << i << ", " << j;
    }
}

TEST_P(Kernels, NtXentGradient) {
  const int64_t n = GetParam(), begin = n / 3, end = n - n / 4;
  const auto before = random_scores(n);
  auto scores = before;
  Floats row_lse, column_lse;
  for (int64_t i = 0; i < n; ++i) {
    row_lse.push_back(static_cast<float>(log_sum_exp(scores, i * n, 1, n)));
    column_lse.push_back(static_cast<float>(log_sum_exp(scores, i, n, n)));
  }
  nt_xent_gradient(row_lse.data(), column_lse.data(), begin, end, n, scores.data());
  for (int64_t i = 0; i < n; ++i)
    if (i < begin || i >= end) {
      EXPECT_EQ(scores[i * n], before[i * n]);
    }
  expect_nt_xent_gradient(before, row_lse, column_lse, begin, end, scores);
}

TEST_P(Kernels, OfExponentials) {
  constexpr float kScale = 40;
  const int64_t n = GetParam(), begin = n / 3, end = n - n / 4;
  auto scores = random(n * n), matrix = scores;
  for (int64_t i = 0; i < n * n; ++i) {
    if (i % 5 == 0 && i / n != i % n) matrix[i] = -kInfinity;
    scores[i] = kScale * matrix[i];
  }
  auto own = untouched(n), row_lse = untouched(n), column_lse = untouched(n);
  exponentials_and_row_lse(kScale, begin, end, n, matrix.data(), own.data(), row_lse.data());
  for (int64_t i = 0; i < n; ++i) {
    const bool within = i >= begin && i < end;
    EXPECT_EQ(own[i], within ? scores[i * n + i] : kUntouched);
    if (within)
      EXPECT_NEAR(row_lse[i], log_sum_exp(scores, i * n, 1, n), 1e-5 * kScale);
    else
      EXPECT_EQ(row_lse[i], kUntouched);
  }
  exponentials_and_row_lse(kScale, 0, begin, n, matrix.data(), own.data(), row_lse.data());
  exponentials_and_row_lse(kScale, end, n, n, matrix.data(), own.data(), row_lse.data());
  column_lse_of_exponentials(kScale, matrix.data(), n, n, begin, end, column_lse.data());
  for (int64_t j = 0; j < n; ++j) {
    if (j >= begin && j < end)
      EXPECT_NEAR(column_lse[j], log_sum_exp(scores, j, n, n), 1e-5 * kScale);
    else
      EXPECT_EQ(column_lse[j], kUntouched);
  }
  column_lse_of_exponentials(kScale, matrix.data(), n, n, 0, n, column_lse.data());
  auto gradient = matrix;
  nt_xent_gradient_of_exponentials(kScale, row_lse.data(), column_lse.data(), begin, end, n, gradient.data());
  for (int64_t i = 0; i < n; ++i)
    if (i < begin || i >= end) {
      EXPECT_EQ(gradient[i * n], matrix[i * n]);
    }
  expect_nt_xent_gradient(scores, row_lse, column_lse, begin, end, gradient);
}

}  // namespace
}  // namespace semblance::kernels
