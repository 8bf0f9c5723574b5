#include "models/embedding_bag.h"

#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/types.h>

#include "models/kernel_choice.h"
#include "models/parallel.h"

namespace semblance {
namespace {

struct Bags {
  torch::Tensor ids, offsets;
};

// Bags of 0 to 11 ids, with repeats within and across bags.
Bags random_bags(int64_t bags, int64_t rows) {
  std::vector<int64_t> offsets = {0};
  for (int64_t b = 0; b < bags; ++b) offsets.push_back(offsets.back() + b * 7 % 12);
  return {torch::randint(rows, {offsets.back()}, torch::kInt64), torch::tensor(offsets)};
}

torch::Tensor reference(const torch::Tensor& weight, const Bags& bags, BagPooling pooling) {
  return std::get<0>(at::embedding_bag(weight, bags.ids, bags.offsets, false,
                                       pooling == BagPooling::Mean ? 1 : 0, false, {}, true));
}

class EmbeddingBagTest : public testing::TestWithParam<std::tuple<int64_t, BagPooling>> {};

TEST_P(EmbeddingBagTest, EqualsLibTorchInValueAndGradient) {
  const auto [dim, pooling] = GetParam();
  torch::manual_seed(1);
  const auto bags = random_bags(50, 40);
  const auto weight = torch::randn({40, dim}).requires_grad_();
  const auto direction = torch::randn({50, dim});
  const auto expected = reference(weight, bags, pooling);
  const auto expected_gradient = torch::autograd::grad({(expected * direction).sum()}, {weight})[0];
  for (const bool sparse : {false, true}) {
    const auto out = embedding_bag(weight, bags.ids, bags.offsets, pooling, sparse);
    EXPECT_TRUE(torch::allclose(out, expected, 1e-5, 1e-6));
    const auto gradient = torch::autograd::grad({(out * direction).sum()}, {weight})[0];
    EXPECT_EQ(gradient.is_sparse(), sparse);
    EXPECT_TRUE(torch::allclose(sparse ? gradient.to_dense() : gradient, expected_gradient, 1e-5, 1e-6));
  }
}

// 5: the lecture's; 8, 16, 32: whole blocks; 33, 300: blocks with a rest.
INSTANTIATE_TEST_SUITE_P(Widths, EmbeddingBagTest,
                         testing::Combine(testing::Values(1, 5, 8, 16, 32, 33, 300),
                                          testing::Values(BagPooling::Sum, BagPooling::Mean)));

TEST(EmbeddingBag, GradientNamesEachTouchedRowOnceAndNoOther) {
  if (!own_kernels()) GTEST_SKIP() << "LibTorch's is coalesced by the optimizer";
  const auto weight = torch::randn({1000, 4}).requires_grad_();
  const auto ids = torch::tensor({7, 999, 7, 3}, torch::kInt64),
             offsets = torch::tensor({0, 2, 4}, torch::kInt64);
  const auto sum = embedding_bag(weight, ids, offsets, BagPooling::Sum, true).sum();
  const auto gradient = torch::autograd::grad({sum}, {weight})[0];
  ASSERT_TRUE(gradient.is_coalesced());
  EXPECT_TRUE(gradient.indices()[0].equal(torch::tensor({3, 7, 999}, torch::kInt64)));
  EXPECT_TRUE(gradient.values().select(1, 0).equal(torch::tensor({1.0f, 2.0f, 1.0f})));
}

TEST(EmbeddingBag, AnEmptyBagIsZero) {
  const auto weight = torch::ones({3, 2});
  const auto out = embedding_bag(weight, torch::tensor({1}, torch::kInt64),
                                 torch::tensor({0, 0, 1, 1}, torch::kInt64), BagPooling::Mean, false);
  EXPECT_TRUE(out.equal(torch::tensor({{0.f, 0.f}, {1.f, 1.f}, {0.f, 0.f}})));
}

TEST(EmbeddingBag, DoesNotDependOnTheNumberOfThreads) {
  torch::manual_seed(2);
  const auto bags = random_bags(3000, 5000);
  const auto weight = torch::randn({5000, 100}).requires_grad_();
  const auto direction = torch::randn({3000, 100});
  const auto run = [&](int threads) {
    set_compute_threads(threads);
    const auto out = embedding_bag(weight, bags.ids, bags.offsets, BagPooling::Mean, true);
    const auto gradient = torch::autograd::grad({(out * direction).sum()}, {weight})[0];
    return std::pair(out.detach(), gradient.to_dense());
  };
  const auto [out1, gradient1] = run(1);
  const auto [out4, gradient4] = run(4);
  set_compute_threads(2);
  EXPECT_TRUE(out1.equal(out4));
  EXPECT_TRUE(gradient1.equal(gradient4));
}

// A dense gradient of one part is added up in the table, of several by an index of its rows.
TEST(EmbeddingBag, DenseGradientsAreTheSameHoweverManyAddThemUp) {
  torch::manual_seed(6);
  const auto bags = random_bags(3000, 500);
  const auto start = torch::randn({500, 100}), direction = torch::randn({3000, 100});
  const auto each = torch::rand({bags.ids.numel()});
  const auto gradient = [&](int threads, const torch::Tensor& weights, const EmbeddingOptions& options) {
    set_compute_threads(threads);
    const auto weight = start.clone().requires_grad_();
    const auto out = embedding_bag(weight, bags.ids, bags.offsets, BagPooling::Mean, false, weights, options);
    return torch::autograd::grad({(out * direction).sum()}, {weight})[0];
  };
  for (const auto& weights : {torch::Tensor(), each})
    for (const bool padding : {false, true}) {
      const EmbeddingOptions options{.zero_padding = padding};
      const auto one = gradient(1, weights, options), two = gradient(2, weights, options);
      EXPECT_TRUE(one.equal(two)) << weights.defined() << padding;
      EXPECT_EQ(one[0].abs().max().item<float>() == 0, padding);
    }
  set_compute_threads(2);
}

TEST(EmbeddingBag, RefusesIdsAndOffsetsOutOfRange) {
  if (!own_kernels()) GTEST_SKIP() << "a GPU's operators look at nothing";
  const auto weight = torch::ones({3, 2});
  const auto bag = [&](std::vector<int64_t> ids, std::vector<int64_t> offsets) {
    return embedding_bag(weight, torch::tensor(ids, torch::kInt64), torch::tensor(offsets, torch::kInt64),
                         BagPooling::Sum, false);
  };
  EXPECT_THROW(bag({0, 3}, {0, 2}), c10::Error);
  EXPECT_THROW(bag({-1}, {0, 1}), c10::Error);
  EXPECT_THROW(bag({0, 1}, {0, 1}), c10::Error);
  EXPECT_THROW(bag({0, 1}, {0, 2, 1, 2}), c10::Error);
}

// torch::nn::functional::embedding.
torch::Tensor libtorchs_embedding(const torch::Tensor& weight, const torch::Tensor& ids,
                                  const EmbeddingOptions& options, int64_t padding, bool sparse) {
  if (options.max_norm > 0) {
    const torch::NoGradGuard no_gradient;
    auto table = weight;
    at::embedding_renorm_(table, ids.view(-1), options.max_norm, 2);
  }
  return at::embedding(weight, ids, padding, options.scale_by_frequency, sparse);
}

// Its rows of a batch are summed up or averaged by bags: LibTorch 2.13's embedding_bag has the same values,
// but divides a row's gradient by other rows' frequencies. Neither scales sparse gradients: ours are compared
// with dense ones.
struct EmbeddingCase {
  EmbeddingOptions options;
  BagPooling pooling;
};

class EmbeddingOptionsTest : public testing::TestWithParam<EmbeddingCase> {};

TEST_P(EmbeddingOptionsTest, EqualLibTorchsEmbedding) {
  const auto& [options, pooling] = GetParam();
  torch::manual_seed(3);
  const auto bags = random_bags(60, 30);
  const auto start = torch::randn({30, 20});
  const auto direction = torch::randn({60, 20});
  const auto theirs = start.clone().requires_grad_();
  const auto lengths = bags.offsets.diff();
  auto expected =
      torch::zeros({60, 20}).index_add(0, torch::arange(60, torch::kInt64).repeat_interleave(lengths),
                                       libtorchs_embedding(theirs, bags.ids, options, -1, false));
  if (pooling == BagPooling::Mean) expected = expected / lengths.clamp_min(1).unsqueeze(1);
  const auto expected_gradient = torch::autograd::grad({(expected * direction).sum()}, {theirs})[0];
  EXPECT_TRUE(torch::allclose(reference(theirs.detach(), bags, pooling), expected, 1e-6, 1e-6));
  for (const bool sparse : {false, true}) {
    const auto weight = start.clone().requires_grad_();
    const auto out = embedding_bag(weight, bags.ids, bags.offsets, pooling, sparse, {}, options);
    EXPECT_TRUE(torch::allclose(out, expected, 1e-6, 1e-6));
    EXPECT_TRUE(torch::allclose(weight, theirs, 1e-6, 1e-6)) << "rows shortened in place";
    const auto gradient = torch::autograd::grad({(out * direction).sum()}, {weight})[0];
    EXPECT_EQ(gradient.is_sparse(), sparse);
    EXPECT_TRUE(torch::allclose(sparse ? gradient.to_dense() : gradient, expected_gradient, 1e-6, 1e-6));
  }
}

INSTANTIATE_TEST_SUITE_P(Options, EmbeddingOptionsTest,
                         testing::Values(EmbeddingCase{{.max_norm = 4}, BagPooling::Mean},
                                         EmbeddingCase{{.max_norm = 0.5}, BagPooling::Sum},
                                         EmbeddingCase{{.scale_by_frequency = true}, BagPooling::Mean},
                                         EmbeddingCase{{.scale_by_frequency = true}, BagPooling::Sum},
                                         EmbeddingCase{{.max_norm = 4, .scale_by_frequency = true},
                                                       BagPooling::Mean}));

// Padding stands in a mean, as it does in the mean of what torch.nn.Embedding looks up.
TEST(EmbeddingOptions, PaddingEqualsLibTorchsEmbedding) {
  torch::manual_seed(4);
  const auto ids = torch::randint(0, 9, {40, 6}, torch::kInt64);  // 0, padding, among them
  const auto flat = ids.view(-1), offsets = torch::arange(0, 241, 6, torch::kInt64);
  const auto direction = torch::randn({40, 5});
  for (const bool scale : {false, true})
    for (const bool sparse : {false, true}) {
      const EmbeddingBagOptions options{
          .rows = 9,
          .dim = 5,
          .sparse_gradient = sparse,
          .embedding = {.max_norm = 2, .scale_by_frequency = scale, .zero_padding = true}};
      EmbeddingBag bag(options);
      EXPECT_TRUE(bag->weight[0].equal(torch::zeros({5})));
      const auto theirs = bag->weight.detach().clone().requires_grad_();
      // Its sparse gradient is not scaled: "scale_grad_by_freq not supported with sparse".
      const auto rows = libtorchs_embedding(theirs, ids, options.embedding, 0, sparse && !scale);
      const auto expected = torch::autograd::grad({(rows.mean(1) * direction).sum()}, {theirs})[0].to_dense();
      const auto out = bag->forward(flat, offsets);
      EXPECT_TRUE(torch::allclose(out, rows.mean(1), 1e-6, 1e-6));
      const auto gradient = torch::autograd::grad({(out * direction).sum()}, {bag->weight})[0];
      EXPECT_EQ(gradient.is_sparse(), sparse);
      EXPECT_TRUE(torch::allclose(gradient.to_dense(), expected, 1e-6, 1e-6));
      EXPECT_TRUE(gradient.to_dense()[0].equal(torch::zeros({5})));
      EXPECT_TRUE(torch::allclose(bag->look_up(flat), rows.reshape({-1, 5}), 1e-6, 1e-6));
    }
}

TEST(EmbeddingOptions, ShorteningARowTwiceIsShorteningItOnceForAnyNumberOfThreads) {
  if (!own_kernels()) GTEST_SKIP() << "LibTorch shortens a row again where rounding left it too long";
  torch::manual_seed(5);
  const auto bags = random_bags(3000, 5000);
  const auto start = 3 * torch::randn({5000, 100});
  const auto run = [&](int threads, int times) {
    set_compute_threads(threads);
    const auto weight = start.clone();
    for (int i = 0; i < times; ++i)
      embedding_bag(weight, bags.ids, bags.offsets, BagPooling::Mean, true, {}, {.max_norm = 0.7});
    return weight;
  };
  const auto once = run(1, 1), twice = run(1, 2), shared = run(4, 1);
  set_compute_threads(2);
  EXPECT_TRUE(once.equal(twice));
  EXPECT_TRUE(once.equal(shared));
}

TEST(EmbeddingOptions, ABatchOfPaddingAloneHasNoGradient) {
  EmbeddingBag bag(
      EmbeddingBagOptions{.rows = 3, .dim = 2, .sparse_gradient = true, .embedding = {.zero_padding = true}});
  const auto out = bag->forward(torch::zeros({4}, torch::kInt64), torch::tensor({0, 2, 4}, torch::kInt64));
  const auto gradient = torch::autograd::grad({out.sum()}, {bag->weight})[0];
  EXPECT_EQ(gradient._nnz(), 0);
}

// What an embedding is: a row of the table, the same as one-hot times the table.
TEST(EmbeddingBag, LookUpEqualsIndexingAndOneHotTimesABiasFreeLinear) {
  EmbeddingBag bag(EmbeddingBagOptions{.rows = 6, .dim = 3});
  const auto ids = torch::tensor({4, 0, 4}, torch::kInt64);
  const auto rows = bag->look_up(ids);
  EXPECT_TRUE(rows.equal(bag->weight.index_select(0, ids)));
  torch::nn::Linear linear(torch::nn::LinearOptions(6, 3).bias(false));
  {
    const torch::NoGradGuard no_gradient;
    linear->weight.copy_(bag->weight.t());
  }
  EXPECT_TRUE(torch::allclose(rows, linear(torch::one_hot(ids, 6).to(torch::kFloat32))));
}

// Bags with repeated ids, an empty one and one of a single id.
const auto kWeightedIds = torch::tensor({4, 1, 4, 0, 2, 2, 4}, torch::kInt64);
const auto kWeightedOffsets = torch::tensor({0, 3, 3, 4, 7}, torch::kInt64);

TEST(EmbeddingBag, WeightedIsLibTorchsWithPerSampleWeights) {
  torch::manual_seed(5);
  const auto weights = torch::rand({7});
  for (const int64_t dim : {1, 5, 40}) {
    for (const bool sparse : {false, true}) {
      const auto table = torch::randn({6, dim});
      auto ours = table.clone().requires_grad_(), theirs = table.clone().requires_grad_();
      const auto output =
          embedding_bag(ours, kWeightedIds, kWeightedOffsets, BagPooling::Mean, sparse, weights);
      const auto expected = std::get<0>(at::embedding_bag(theirs, kWeightedIds, kWeightedOffsets, false,
                                                          /*mode=*/0, false, weights, true));
      EXPECT_TRUE(torch::allclose(output, expected, 1e-6, 1e-6));
      const auto gradient = torch::randn_like(output);
      output.backward(gradient);
      expected.backward(gradient);
      EXPECT_EQ(ours.grad().is_sparse(), sparse);
      EXPECT_TRUE(torch::allclose(ours.grad().to_dense(), theirs.grad(), 1e-5, 1e-6));
    }
  }
}

TEST(EmbeddingBag, IdfMeansAndTfIdfAreThoseOfTheirFormulas) {
  const auto idf = torch::tensor({1.0f, 2.0f, 3.0f, 9.0f, 0.5f, 9.0f});
  const auto mean = row_weights(idf, kWeightedIds, kWeightedOffsets, RowWeighting::IdfMean);
  EXPECT_TRUE(
      torch::allclose(mean, torch::tensor({.5f / 3, 2 / 3.f, .5f / 3, 1.f, 3 / 6.5f, 3 / 6.5f, .5f / 6.5f})));
  const auto tf_idf = row_weights(idf, kWeightedIds, kWeightedOffsets, RowWeighting::TfIdf);
  const float first = std::sqrt(1.f + 4.f), last = std::sqrt(36.f + .25f);  // 2 · .5 and 2; 2 · 3 and .5
  EXPECT_TRUE(torch::allclose(
      tf_idf, torch::tensor({.5f / first, 2 / first, .5f / first, 1.f, 3 / last, 3 / last, .5f / last})));
}

TEST(EmbeddingBag, ABagOfRowsThatDoNotCountIsZero) {
  for (const auto weighting : {RowWeighting::IdfMean, RowWeighting::TfIdf}) {
    const auto weights = row_weights(torch::zeros({6}), kWeightedIds, kWeightedOffsets, weighting);
    EXPECT_TRUE(weights.eq(0).all().item<bool>());
  }
}

}  // namespace
}  // namespace semblance
