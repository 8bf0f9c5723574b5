#include <ATen/Functions.h>
#include <gtest/gtest.h>

#include <set>

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

}  // namespace
}  // namespace semblance
