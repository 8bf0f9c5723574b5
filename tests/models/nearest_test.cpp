#include <ATen/Functions.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <span>
#include <tuple>

#include "models/code_kernels.h"
#include "models/hnsw.h"
#include "models/nearest.h"
#include "models/parallel.h"

namespace semblance {
namespace {

TEST(Nearest, EqualsSortingAllCosines) {
  at::manual_seed(3);
  const auto rows = at::randn({5000, 33}), queries = at::randn({7, 33});
  const auto norms = rows.norm(2, 1);
  const auto cosines = at::mm(queries / queries.norm(2, 1, true), (rows / norms.unsqueeze(1)).t());
  const auto values = std::get<0>(cosines.topk(20, 1));
  const auto found = nearest(rows, norms, queries, 20);
  for (int64_t q = 0; q < 7; ++q) {
    std::set<int64_t> ids;
    for (int64_t i = 0; i < 20; ++i) {
      // By similarity, not by row: which of two as near comes first may hang on float32's last digit.
      const auto& neighbor = found[static_cast<size_t>(q)][static_cast<size_t>(i)];
      EXPECT_NEAR(neighbor.similarity, values[q][i].item<float>(), 1e-6);
      EXPECT_NEAR(neighbor.similarity, cosines[q][neighbor.id].item<float>(), 1e-6);
      ids.insert(neighbor.id);
    }
    EXPECT_EQ(ids.size(), 20u);
  }
}

TEST(Nearest, EqualsComeInTheOrderOfTheirRowsAndExcludedRowsNotAtAll) {
  const auto rows = at::tensor({1.f, 0.f, 2.f, 0.f, 0.f, 0.f, 3.f, 0.f, -1.f, 0.f}).view({5, 2});
  const auto norms = rows.norm(2, 1);
  const auto query = at::tensor({5.f, 0.f}).view({1, 2});
  const auto ids = [&](int64_t k, std::vector<int64_t> excluded) {
    std::vector<int64_t> result;
    const std::vector<std::vector<int64_t>> all{std::move(excluded)};
    const auto found = nearest(rows, norms, query, k, all);
    for (const auto& neighbor : found[0]) result.push_back(neighbor.id);
    return result;
  };
  EXPECT_EQ(ids(10, {}), (std::vector<int64_t>{0, 1, 3, 4})) << "a zero row is near to nothing";
  EXPECT_TRUE(nearest(rows, norms, at::zeros({1, 2}), 3)[0].empty()) << "nor is a zero query";
  EXPECT_EQ(ids(2, {0}), (std::vector<int64_t>{1, 3}));
  EXPECT_EQ(ids(0, {}), (std::vector<int64_t>{}));
}

TEST(Nearest, DoesNotDependOnTheNumberOfThreadsOrOfQueries) {
  at::manual_seed(4);
  const auto rows = at::randn({20000, 16}), queries = at::randn({600, 16});
  const auto norms = rows.norm(2, 1);
  const int threads = compute_threads();
  set_compute_threads(1);
  const auto one = nearest(rows, norms, queries, 5);
  set_compute_threads(2);
  const auto two = nearest(rows, norms, queries, 5);
  set_compute_threads(threads);
  for (int64_t q = 0; q < 600; q += 37) {
    const auto alone = nearest(rows, norms, queries.narrow(0, q, 1), 5)[0];
    for (size_t i = 0; i < 5; ++i) {
      EXPECT_EQ(one[static_cast<size_t>(q)][i].id, two[static_cast<size_t>(q)][i].id);
      EXPECT_EQ(one[static_cast<size_t>(q)][i].similarity, alone[i].similarity);
    }
  }
}

std::unique_ptr<Scan> codes_of(const at::Tensor& rows) {
  const auto kept = rows.contiguous();
  return scan_codes(kept.size(0), kept.size(1), [kept](int64_t first, int64_t count, float* out) {
    const int64_t dim = kept.size(1);
    std::copy_n(kept.const_data_ptr<float>() + first * dim, count * dim, out);
  });
}

std::unique_ptr<Scan> floats_of(const at::Tensor& rows) {
  return scan_floats(rows, rows.norm(2, 1));
}

// Each row measured, without any scan.
std::vector<std::pair<double, int64_t>> all_measured(const at::Tensor& rows, const at::Tensor& query) {
  const auto dim = static_cast<size_t>(rows.size(1));
  std::vector<std::pair<double, int64_t>> all;
  for (int64_t id = 0; id < rows.size(0); ++id) {
    const std::span row(rows.const_data_ptr<float>() + id * rows.size(1), dim);
    if (std::ranges::any_of(row, [](float x) { return x != 0; }))
      all.emplace_back(-cosine({query.const_data_ptr<float>(), dim}, row), id);
  }
  std::ranges::sort(all);
  return all;
}

// Rows among which a scan has a hard time: groups closer together than codes can tell, equal rows, rows of
// one large number, of nothing, and of all lengths.
at::Tensor hard_rows(int64_t n, int64_t dim) {
  at::manual_seed(n + dim);
  auto rows = at::randn({20, dim}).index_select(0, at::randint(20, {n}, at::kLong));
  rows += 0.003 * at::randn({n, dim});
  rows.narrow(0, 100, 150).copy_(rows[7].expand({150, dim}));
  rows.narrow(0, 300, 20).zero_();
  rows.narrow(0, 330, 20).select(1, dim / 2).fill_(50);
  return rows * at::randn({n, 1}).exp();
}

TEST(Nearest, BothScansAnswerAsMeasuringEveryRow) {
  for (const int64_t dim : {7, 64, 301}) {
    const auto rows = hard_rows(1500, dim);
    const auto queries = at::cat({rows.narrow(0, 95, 12), at::randn({3, dim}), rows.narrow(0, 329, 3)});
    for (const int64_t k : {1, 10, 200, 5000}) {
      const auto by_floats = nearest(*floats_of(rows), queries, {.k = k});
      const auto by_codes = nearest(*codes_of(rows), queries, {.k = k});
      for (int64_t q = 0; q < queries.size(0); ++q) {
        auto expected = all_measured(rows, queries[q]);
        expected.resize(std::min(expected.size(), static_cast<size_t>(k)));
        for (const auto* found : {&by_floats[static_cast<size_t>(q)], &by_codes[static_cast<size_t>(q)]}) {
          ASSERT_EQ(found->size(), expected.size());
          for (size_t i = 0; i < expected.size(); ++i) {
            ASSERT_EQ((*found)[i].id, expected[i].second) << dim << " " << k << " " << q << " " << i;
            ASSERT_EQ((*found)[i].similarity, static_cast<float>(-expected[i].first));
          }
        }
      }
    }
  }
}

TEST(Nearest, WhatIsLessNearThanAskedIsNoNeighbour) {
  const auto rows = hard_rows(1500, 40), queries = rows.narrow(0, 0, 5);
  for (const double least : {-0.5, 0.1, 0.9999, 1.0}) {
    const auto by_floats = nearest(*floats_of(rows), queries, {.k = 400, .min_score = least});
    const auto by_codes = nearest(*codes_of(rows), queries, {.k = 400, .min_score = least});
    for (size_t q = 0; q < 5; ++q) {
      auto expected = all_measured(rows, queries[static_cast<int64_t>(q)]);
      std::erase_if(expected, [&](const auto& row) { return -row.first < least; });
      ASSERT_EQ(by_floats[q].size(), std::min<size_t>(400, expected.size())) << least;
      ASSERT_EQ(by_codes[q].size(), by_floats[q].size());
      for (size_t i = 0; i < by_codes[q].size(); ++i) ASSERT_EQ(by_codes[q][i].id, expected[i].second);
    }
  }
}

TEST(Nearest, PairsAreThoseOfAllRowsEachOnce) {
  const auto rows = hard_rows(700, 33);
  constexpr double kLeast = 0.99999;
  using Pairs = std::vector<std::tuple<int64_t, int64_t, float>>;
  Pairs expected;
  for (int64_t a = 0; a < 700; ++a)
    for (const auto& [negative, b] : all_measured(rows, rows[a]))
      if (b > a && -negative >= kLeast) expected.emplace_back(a, b, static_cast<float>(-negative));
  std::ranges::sort(expected);
  ASSERT_GT(expected.size(), 150u * 149 / 2);
  for (const auto& scan : {floats_of(rows), codes_of(rows)}) {
    Pairs found;
    near_pairs(*scan, kLeast, [&](int64_t row, std::span<const Neighbor> later) {
      for (const auto& neighbor : later) found.emplace_back(row, neighbor.id, neighbor.similarity);
    });
    EXPECT_TRUE(found == expected) << found.size() << " " << expected.size();
  }
}

TEST(NearestGraph, FindsMostOfTheNearestAndNothingThatIsNone) {
  at::manual_seed(6);
  const auto rows = at::randn({1200, 24});
  rows.narrow(0, 40, 10).zero_();
  const auto scan = floats_of(rows);
  const NearestGraph graph(*scan, 100), again(*scan, 100);
  const auto queries = rows.narrow(0, 30, 30);
  std::vector<std::vector<int64_t>> own;
  for (int64_t q = 0; q < 30; ++q) own.push_back({30 + q});
  const NearestOptions options{.k = 8, .min_score = 0.2, .excluded = own};
  const auto exact = nearest(*scan, queries, options), found = graph.nearest(queries, options),
             same = again.nearest(queries, options);
  size_t missing = 0, all = 0;
  for (size_t q = 0; q < 30; ++q) {
    ASSERT_LE(found[q].size(), exact[q].size());
    ASSERT_EQ(found[q].empty(), q >= 10 && q < 20) << "a zero query";
    all += exact[q].size();
    missing += exact[q].size();
    for (size_t i = 0; i < found[q].size(); ++i) {
      EXPECT_EQ(found[q][i].id, same[q][i].id);
      EXPECT_NE(found[q][i].id, own[q][0]);
      EXPECT_TRUE(found[q][i].id < 40 || found[q][i].id >= 50) << "a zero row";
      const auto right = std::ranges::find(exact[q], found[q][i].id, &Neighbor::id);
      if (right == exact[q].end()) continue;
      EXPECT_EQ(right->similarity, found[q][i].similarity);
      --missing;
    }
  }
  EXPECT_LT(missing, all / 20);
  EXPECT_GT(graph.recall(8, 100), 0.95);
  EXPECT_LT(NearestGraph(*scan, 1).recall(8, 100), graph.recall(8, 100));
}

TEST(CodeKernels, AllAreProductsOfMatrices) {
  at::manual_seed(5);
  for (const int64_t dim : {4, 8, 300})
    for (const int64_t count : {1, 3, 4, 9}) {
      constexpr int64_t kGroups = 3, kRows = kGroups * kernels::kCodeRows;
      const auto rows = at::randint(-127, 128, {kRows, dim}, at::kChar);
      const auto queries = at::randint(-127, 128, {count, dim}, at::kChar);
      const auto sums = queries.sum(1, false, at::kInt), scales = at::rand({count});
      std::vector<uint8_t> laid_out(static_cast<size_t>(kRows * dim));
      for (int64_t g = 0; g < kGroups; ++g)
        kernels::lay_out_codes(rows[g * kernels::kCodeRows].const_data_ptr<int8_t>(), dim,
                               laid_out.data() + g * kernels::kCodeRows * dim);
      const auto expected =
          at::mm(queries.to(at::kDouble), rows.to(at::kDouble).t()).to(at::kFloat) * scales.unsqueeze(1);
      for (const auto& score : kernels::code_kernels()) {
        const auto out = at::full({count, kRows + 5}, -1.0f);
        score(laid_out.data(), kGroups, dim, queries.const_data_ptr<int8_t>(), sums.const_data_ptr<int32_t>(),
              scales.const_data_ptr<float>(), count, out.mutable_data_ptr<float>(), kRows + 5);
        EXPECT_TRUE(at::equal(out.narrow(1, 0, kRows), expected)) << dim << " " << count;
        EXPECT_TRUE(out.narrow(1, kRows, 5).eq(-1).all().item<bool>());
      }
    }
}

}  // namespace
}  // namespace semblance
