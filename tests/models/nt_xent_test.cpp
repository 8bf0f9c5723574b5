#include "models/nt_xent.h"

#include <gtest/gtest.h>
#include <torch/nn/functional/loss.h>
#include <torch/nn/functional/normalization.h>
#include <torch/types.h>

#include <cmath>
#include <limits>
#include <vector>

#include "models/parallel.h"

namespace semblance {
namespace {

torch::Tensor temperature(double alpha) {
  return torch::full({}, alpha);
}

torch::Tensor texts(const torch::Tensor& queries, const torch::Tensor& documents,
                    const torch::Tensor& negatives = {}) {
  return torch::cat(negatives.defined() ? std::vector{queries, documents, negatives}
                                        : std::vector{queries, documents});
}

TEST(NtXent, KnownValues) {
  const auto q = torch::tensor({{1.f, 0.f}, {0.f, 1.f}, {1.f, 1.f}});
  const auto d = torch::tensor({{2.f, 0.f}, {1.f, 1.f}, {0.f, 3.f}});
  const std::pair<double, double> known[] = {{1, 0.9986999}, {0.5, 0.9905556}, {0.05, 3.9090440}};
  for (const auto& [alpha, value] : known) {
    // A cosine's last digits, divided by alpha.
    EXPECT_NEAR(nt_xent(texts(q, d), temperature(alpha)).mean().item<double>(), value, 1e-5) << alpha;
    EXPECT_NEAR(nt_xent_plain(texts(q, d), temperature(alpha)).mean().item<double>(), value, 1e-5) << alpha;
  }
}

struct Case {
  int64_t batch, dim;
  double alpha;
  bool grouped;
  std::vector<int64_t> owners = {};  // of hard negatives
};

class NtXentLikePlain : public testing::TestWithParam<Case> {};

// Value and gradients of the fused loss are autograd's of the plain one.
TEST_P(NtXentLikePlain, ValueAndGradients) {
  const auto [batch, dim, alpha_value, grouped, owners] = GetParam();
  torch::manual_seed(1);
  struct Result {
    double value;
    torch::Tensor q, d, alpha, negatives;
  };
  const auto queries = torch::randn({batch, dim}), documents = torch::randn({batch, dim});
  const auto groups = grouped ? torch::arange(batch).div(3, "floor").to(torch::kInt64) : torch::Tensor();
  const auto hard = torch::randn({static_cast<int64_t>(owners.size()), dim});
  const auto run = [&](auto loss) {
    auto q = queries.clone().requires_grad_(true), d = documents.clone().requires_grad_(true),
         alpha = temperature(alpha_value).requires_grad_(true), n = hard.clone().requires_grad_(true);
    const auto value = owners.empty()
                           ? loss(texts(q, d), alpha, groups, torch::Tensor()).mean()
                           : loss(texts(q, d, n), alpha, groups, torch::tensor(owners, torch::kInt64)).mean();
    value.mul(3).backward();
    return Result{value.template item<double>(), q.grad(), d.grad(), alpha.grad(), n.grad()};
  };
  const auto fused = run(nt_xent), plain = run(nt_xent_plain);
  EXPECT_NEAR(fused.value, plain.value, 1e-5 * std::abs(plain.value) + 1e-6);
  const auto expect_close = [](const torch::Tensor& a, const torch::Tensor& b) {
    EXPECT_LE((a - b).abs().max().item<double>(), 2e-5 * b.abs().max().item<double>() + 1e-7);
  };
  expect_close(fused.q, plain.q);
  expect_close(fused.d, plain.d);
  expect_close(fused.alpha, plain.alpha);
  if (!owners.empty()) expect_close(fused.negatives, plain.negatives);
}

INSTANTIATE_TEST_SUITE_P(Sizes, NtXentLikePlain,
                         testing::Values(Case{1, 3, 0.5, false}, Case{2, 2, 0.1, false}, Case{7, 5, 1, true},
                                         Case{64, 16, 0.05, false}, Case{65, 33, 0.05, true},
                                         Case{200, 100, 0.02, true}, Case{256, 300, 0.05, false},
                                         Case{1, 3, 0.5, false, {0}}, Case{3, 4, 0.1, false, {0, 0, 2}},
                                         Case{66, 33, 0.05, true, {0, 1, 1, 1, 7, 64, 65, 65}}));

TEST(NtXent, CandidatesOfTheSameRowDoNotCount) {
  // Pairs 0 and 1 are of one row: for each the other's text is no candidate, as if it were far away.
  torch::manual_seed(2);
  const auto q = torch::randn({3, 8}), d = torch::randn({3, 8});
  const auto s =
      torch::mm(torch::nn::functional::normalize(q), torch::nn::functional::normalize(d).t()) / 0.1;
  auto masked = s.clone();
  masked[0][1] = masked[1][0] = -1e9f;
  const auto targets = torch::arange(3);
  const auto expected = 0.5 * (torch::nn::functional::cross_entropy(masked, targets) +
                               torch::nn::functional::cross_entropy(masked.t(), targets));
  const auto groups = torch::tensor({int64_t{4}, int64_t{4}, int64_t{9}});
  EXPECT_NEAR(nt_xent(texts(q, d), temperature(0.1), groups).mean().item<double>(), expected.item<double>(),
              1e-5);
  EXPECT_GT(nt_xent(texts(q, d), temperature(0.1)).mean().item<double>(), expected.item<double>());
}

// R5
TEST(NtXent, HardNegativesAreFurtherCandidatesOfTheirPairAlone) {
  // Pair 0 has one, pair 2 two: as rows of more columns of PyTorch's cross entropy.
  const auto q = torch::tensor({{1.f, 0.f}, {0.f, 1.f}, {1.f, 1.f}});
  const auto d = torch::tensor({{2.f, 0.f}, {1.f, 1.f}, {0.f, 3.f}});
  const auto n = torch::tensor({{1.f, 2.f}, {-1.f, 1.f}, {3.f, 1.f}});
  const std::vector<int64_t> owners = {0, 2, 2};
  const auto unit = [](const torch::Tensor& rows) { return torch::nn::functional::normalize(rows); };
  const double alpha = 0.5;
  const auto s = torch::mm(unit(q), unit(d).t()) / alpha;
  const auto rows_of = [&](const torch::Tensor& scores, const torch::Tensor& side) {
    auto further = torch::full({3, 3}, -std::numeric_limits<float>::infinity());
    for (int64_t k = 0; k < 3; ++k) {
      const int64_t i = owners[static_cast<size_t>(k)];
      further[i][k] = torch::dot(unit(side)[i], unit(n)[k]) / alpha;
    }
    return torch::cat({scores, further}, 1);
  };
  const auto targets = torch::arange(3);
  const auto expected = 0.5 * (torch::nn::functional::cross_entropy(rows_of(s, q), targets) +
                               torch::nn::functional::cross_entropy(rows_of(s.t(), d), targets));
  // The same by torch 2.13 in Python.
  EXPECT_NEAR(expected.item<double>(), 1.1770055, 1e-6);
  for (auto* loss : {&nt_xent, &nt_xent_plain})
    EXPECT_NEAR((*loss)(texts(q, d, n), temperature(alpha), {}, torch::tensor(owners, torch::kInt64))
                    .mean()
                    .item<double>(),
                expected.item<double>(), 1e-5);
}

TEST(NtXent, AZeroVectorIsAsFarFromAllAndGetsAGradient) {
  auto q = torch::zeros({2, 4}).requires_grad_(true);
  const auto d = torch::randn({2, 4});
  const auto loss = nt_xent(texts(q, d), temperature(0.05));
  EXPECT_NEAR(loss.mean().item<double>(), std::log(2.0), 1e-6);
  loss.mean().backward();
  EXPECT_TRUE(torch::isfinite(q.grad()).all().item<bool>());
  EXPECT_GT(q.grad().abs().max().item<double>(), 0);
}

TEST(NtXent, ATinyTemperatureOverflowsNothing) {
  auto q = torch::tensor({{1.f, 0.f}, {0.f, 1.f}}).requires_grad_(true);
  const auto d = torch::tensor({{0.f, 1.f}, {1.f, 0.f}});
  const auto loss = nt_xent(texts(q, d), temperature(1e-4));
  EXPECT_NEAR(loss.mean().item<double>(), 1e4, 1);
  loss.mean().backward();
  EXPECT_TRUE(torch::isfinite(q.grad()).all().item<bool>());
}

TEST(NtXent, WhatIsNotANumberIsNotHidden) {
  auto q = torch::ones({3, 4});
  q[1][2] = std::nanf("");
  EXPECT_TRUE(std::isnan(nt_xent(texts(q, torch::ones({3, 4})), temperature(0.05)).mean().item<double>()));
}

TEST(NtXent, TheSameBitsForAnyNumberOfThreads) {
  torch::manual_seed(3);
  const auto queries = torch::randn({300, 100}), documents = torch::randn({300, 100});
  const auto gradient = [&](int threads) {
    set_compute_threads(threads);
    auto q = queries.clone().requires_grad_(true);
    nt_xent(texts(q, documents, documents.narrow(0, 0, 100)), temperature(0.05), {},
            torch::arange(100).mul(3))
        .mean()
        .backward();
    return q.grad();
  };
  const int threads = compute_threads();
  const auto one = gradient(1);
  for (const int n : {2, 3}) EXPECT_TRUE(torch::equal(gradient(n), one)) << n;
  set_compute_threads(threads);
}

TEST(NtXent, RefusesWhatDoesNotFitTogether) {
  const auto alpha = temperature(1);
  const auto longs = [](int64_t size) { return torch::zeros({size}, torch::kInt64); };
  EXPECT_THROW(nt_xent(torch::ones({5, 3}), alpha), c10::Error) << "a query without a document";
  EXPECT_THROW(nt_xent(torch::ones({0, 3}), alpha), c10::Error);
  EXPECT_THROW(nt_xent(torch::ones({2, 3}), alpha, {}, longs(2)), c10::Error) << "no pair beside negatives";
  EXPECT_THROW(nt_xent(torch::ones({4, 3}), alpha, longs(3)), c10::Error);
}

}  // namespace
}  // namespace semblance
