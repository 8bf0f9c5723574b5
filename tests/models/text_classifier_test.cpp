#include "models/text_classifier.h"

#include <gtest/gtest.h>
#include <torch/types.h>

namespace semblance {
namespace {

TextClassifierOptions lecture() {
  return {.vocabulary = 100, .dim = 5, .outputs = 1, .hidden = {10}, .dropout = 0.5};
}

torch::Tensor ids() {
  return torch::tensor({3, 4, 5, 9}, torch::kInt64);
}
torch::Tensor offsets() {
  return torch::tensor({0, 1, 4}, torch::kInt64);
}

TEST(TextClassifier, IsMeanThenLinearThenActivationThenLinear) {
  TextClassifier model(lecture());
  model->eval();
  const auto first = model->layers->ptr<torch::nn::LinearImpl>(0),
             second = model->layers->ptr<torch::nn::LinearImpl>(1);
  const auto rows = model->embedding->weight.index_select(0, ids());
  const auto means = torch::stack({rows[0], rows.slice(0, 1, 4).mean(0)});
  const auto expected = second->forward(torch::relu(first->forward(means)));
  EXPECT_TRUE(torch::allclose(model(ids(), offsets()), expected, 1e-5, 1e-6));
}

TEST(TextClassifier, DropsUnitsInTrainingOnly) {
  TextClassifier model(lecture());
  model->train();
  EXPECT_FALSE(model(ids(), offsets()).equal(model(ids(), offsets())));
  model->eval();
  EXPECT_TRUE(model(ids(), offsets()).equal(model(ids(), offsets())));
}

TEST(TextClassifier, WithoutHiddenLayersIsLinear) {
  TextClassifier model(TextClassifierOptions{.vocabulary = 100, .dim = 5, .outputs = 3});
  EXPECT_EQ(model->layers->size(), 1u);
  EXPECT_EQ(model(ids(), offsets()).sizes(), (std::vector<int64_t>{2, 3}));
}

TEST(TextClassifier, FlatSeesPositions) {
  TextClassifier model(TextClassifierOptions{.vocabulary = 100, .dim = 5, .outputs = 1, .flat_length = 2});
  const auto there = model(torch::tensor({3, 4}, torch::kInt64), torch::tensor({0, 2}, torch::kInt64));
  const auto back = model(torch::tensor({4, 3}, torch::kInt64), torch::tensor({0, 2}, torch::kInt64));
  EXPECT_FALSE(torch::allclose(there, back));
}

TEST(TextClassifier, SummaryCountsEveryParameter) {
  TextClassifier model(lecture());
  int64_t total = 0, real = 0;
  for (const auto& row : model->summary()) total += row.parameters;
  for (const auto& parameter : model->parameters()) real += parameter.numel();
  EXPECT_EQ(total, 100 * 5 + 5 * 10 + 10 + 10 + 1);
  EXPECT_EQ(total, real);

  TextClassifier flat(TextClassifierOptions{.vocabulary = 50, .dim = 8, .outputs = 1, .flat_length = 5});
  const auto rows = flat->summary();
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0].output_shape, "[batch, 5, 8]");
  EXPECT_EQ(rows[1].output_shape, "[batch, 40]");
  EXPECT_EQ(rows[2].parameters, 41);
  EXPECT_TRUE(rows[0].trainable && rows[2].trainable);
  EXPECT_FALSE(rows[1].trainable);
  flat->embedding->weight.set_requires_grad(false);
  EXPECT_FALSE(flat->summary()[0].trainable);
}

TEST(TextClassifier, NgramRowsStartAtZero) {
  TextClassifier model(TextClassifierOptions{.vocabulary = 4, .ngram_rows = 3, .dim = 2, .outputs = 1});
  EXPECT_EQ(model->embedding->weight.size(0), 7);
  EXPECT_TRUE(model->embedding->weight.slice(0, 4).eq(0).all().item<bool>());
  EXPECT_FALSE(model->embedding->weight.slice(0, 0, 4).eq(0).any().item<bool>());
}

TEST(TextClassifier, SomeOutputsAloneAreThoseOfAll) {
  for (const bool sparse : {false, true}) {
    torch::manual_seed(6);
    TextClassifier model(TextClassifierOptions{
        .vocabulary = 20, .dim = 4, .outputs = 9, .hidden = {5}, .sparse_gradient = sparse});
    const auto ids = torch::tensor({1, 2, 3, 7}, torch::kInt64),
               offsets = torch::tensor({0, 3, 4}, torch::kInt64),
               some = torch::tensor({0, 4, 8}, torch::kInt64);
    const auto all = model->forward(ids, offsets).index_select(1, some);
    const auto weight = model->layers->ptr<torch::nn::LinearImpl>(1)->weight;
    all.square().sum().backward();
    const auto expected = weight.grad().clone();
    model->zero_grad();
    const auto alone = model->forward_some(ids, offsets, some);
    EXPECT_TRUE(torch::allclose(alone, all, 1e-5, 1e-6));
    alone.square().sum().backward();
    EXPECT_EQ(weight.grad().is_sparse(), sparse);
    EXPECT_TRUE(torch::allclose(weight.grad().to_dense(), expected, 1e-5, 1e-6));
  }
}

}  // namespace
}  // namespace semblance
