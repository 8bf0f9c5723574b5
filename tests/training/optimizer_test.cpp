#include "training/optimizer.h"

#include <gtest/gtest.h>
#include <torch/optim/adagrad.h>
#include <torch/optim/adam.h>
#include <torch/optim/adamw.h>
#include <torch/optim/sgd.h>
#include <torch/types.h>

#include "models/embedding_bag.h"

namespace semblance {
namespace {

// Ours and torch::optim's on copies of the same parameters with the same gradients, for ten steps.
template <class Reference>
void expect_equal_to(Reference make_reference, const OptimizerOptions& options) {
  torch::manual_seed(3);
  auto ours = torch::randn({7, 5}).requires_grad_(), theirs = ours.detach().clone().requires_grad_();
  auto optimizer = make_optimizer(options, {{"w", ours}});
  auto reference = make_reference(std::vector<torch::Tensor>{theirs});
  for (int step = 0; step < 10; ++step) {
    const auto gradient = torch::randn({7, 5});
    ours.mutable_grad() = gradient.clone();
    theirs.mutable_grad() = gradient.clone();
    optimizer->step(0.01);
    reference.step();
  }
  EXPECT_TRUE(torch::allclose(ours, theirs, 1e-5, 1e-6)) << (ours - theirs).abs().max();
}

TEST(Optimizer, DenseOnesEqualTorchOptim) {
  using namespace torch::optim;
  expect_equal_to([](auto p) { return Adam(p, AdamOptions(0.01)); }, {.kind = OptimizerKind::Adam});
  expect_equal_to([](auto p) { return Adam(p, AdamOptions(0.01)); }, {.kind = OptimizerKind::DenseAdam});
  expect_equal_to([](auto p) { return Adam(p, AdamOptions(0.01).weight_decay(0.1)); },
                  {.kind = OptimizerKind::DenseAdam, .weight_decay = 0.1});
  expect_equal_to([](auto p) { return Adam(p, AdamOptions(0.01).weight_decay(0.1)); },
                  {.kind = OptimizerKind::Adam, .weight_decay = 0.1});
  expect_equal_to([](auto p) { return AdamW(p, AdamWOptions(0.01).weight_decay(0.1)); },
                  {.kind = OptimizerKind::AdamW, .weight_decay = 0.1});
  expect_equal_to([](auto p) { return SGD(p, SGDOptions(0.01)); }, {.kind = OptimizerKind::Sgd});
  expect_equal_to([](auto p) { return SGD(p, SGDOptions(0.01).momentum(0.9)); },
                  {.kind = OptimizerKind::Sgd, .momentum = 0.9});
  expect_equal_to([](auto p) { return Adagrad(p, AdagradOptions(0.01).eps(1e-8)); },
                  {.kind = OptimizerKind::Adagrad});
}

torch::Tensor sparse_gradient(const torch::Tensor& dense, const std::vector<int64_t>& rows) {
  const auto index = torch::tensor(rows, torch::kInt64);
  return torch::sparse_coo_tensor(index.unsqueeze(0), dense.index_select(0, index), dense.sizes()).coalesce();
}

TEST(Optimizer, LazyAdamEqualsAdamWhereEveryRowHasAGradient) {
  torch::manual_seed(4);
  auto lazy = torch::randn({6, 33}).requires_grad_(), dense = lazy.detach().clone().requires_grad_();
  auto lazy_adam = make_optimizer({.kind = OptimizerKind::LazyAdam}, {{"w", lazy}});
  auto adam = make_optimizer({.kind = OptimizerKind::Adam}, {{"w", dense}});
  for (int step = 0; step < 10; ++step) {
    const auto gradient = torch::randn({6, 33});
    lazy.mutable_grad() = sparse_gradient(gradient, {0, 1, 2, 3, 4, 5});
    dense.mutable_grad() = gradient;
    lazy_adam->step(0.01);
    adam->step(0.01);
  }
  // eps enters before the bias correction in the one and after it in the other, as in torch.optim.SparseAdam.
  EXPECT_TRUE(torch::allclose(lazy, dense, 1e-4, 1e-5)) << (lazy - dense).abs().max();
}

TEST(Optimizer, LazyAdamTouchesNoRowWithoutAGradient) {
  auto weight = torch::randn({6, 4}).requires_grad_();
  const auto before = weight.detach().clone();
  auto optimizer = make_optimizer({.kind = OptimizerKind::LazyAdam}, {{"w", weight}});
  for (int step = 0; step < 3; ++step) {
    weight.mutable_grad() = sparse_gradient(torch::ones({6, 4}), {1, 4});
    optimizer->step(0.1);
  }
  const auto moved = weight.detach().ne(before).any(1);
  EXPECT_TRUE(moved.equal(torch::tensor({false, true, false, false, true, false})));
  for (const auto& [name, state] : optimizer->state()) EXPECT_TRUE(state.ne(0).any(1).equal(moved)) << name;
}

TEST(Optimizer, LazyAdamDecaysAsAdamWWhereEveryRowHasAGradient) {
  torch::manual_seed(4);
  auto lazy = torch::randn({6, 33}).requires_grad_(), dense = lazy.detach().clone().requires_grad_();
  auto lazy_adam = make_optimizer({.kind = OptimizerKind::LazyAdam, .weight_decay = 0.5}, {{"w", lazy}});
  auto adamw = make_optimizer({.kind = OptimizerKind::AdamW, .weight_decay = 0.5}, {{"w", dense}});
  for (int step = 0; step < 10; ++step) {
    const auto gradient = torch::randn({6, 33});
    lazy.mutable_grad() = sparse_gradient(gradient, {0, 1, 2, 3, 4, 5});
    dense.mutable_grad() = gradient;
    lazy_adam->step(0.01);
    adamw->step(0.01);
  }
  EXPECT_TRUE(torch::allclose(lazy, dense, 1e-4, 1e-5)) << (lazy - dense).abs().max();
}

TEST(Optimizer, LazyAdamMakesUpForTheDecayOfStepsWithoutAGradient) {
  auto weight = torch::ones({3, 2}).requires_grad_();
  auto optimizer = make_optimizer({.kind = OptimizerKind::LazyAdam, .weight_decay = 2}, {{"w", weight}});
  const auto step = [&](std::vector<int64_t> rows) {
    weight.mutable_grad() = sparse_gradient(torch::zeros({3, 2}), rows);
    optimizer->step(0.1);
  };
  step({0});
  step({0});
  step({0, 1});
  EXPECT_NEAR(weight[0][0].item<float>(), 0.8 * 0.8 * 0.8, 1e-6);
  EXPECT_NEAR(weight[1][0].item<float>(), 0.8 * 0.8 * 0.8, 1e-6);
  EXPECT_EQ(weight[2][0].item<float>(), 1);
}

TEST(Optimizer, ClippingBoundsTheNormOverDenseAndSparseGradients) {
  auto table = torch::zeros({5, 2}).requires_grad_(), other = torch::zeros({3}).requires_grad_();
  auto optimizer = make_optimizer({.kind = OptimizerKind::LazyAdam}, {{"table", table}, {"other", other}});
  const auto set = [&] {
    table.mutable_grad() = sparse_gradient(torch::full({5, 2}, 3.0), {2});
    other.mutable_grad() = torch::full({3}, 4.0);
  };
  const double norm = std::sqrt(2 * 9 + 3 * 16);
  set();
  optimizer->clip_gradients(1.0);
  EXPECT_NEAR(table.grad().coalesce().values()[0][0].item<float>(), 3 / norm, 1e-5);
  EXPECT_NEAR(other.grad()[0].item<float>(), 4 / norm, 1e-5);
  set();
  optimizer->clip_gradients(100.0);
  EXPECT_EQ(other.grad()[0].item<float>(), 4);
}

// A row's step is Adagrad's with the row's mean square in the place of each square.
TEST(Optimizer, RowwiseAdagradTakesTheSameStepsFromSparseAndFromDenseGradients) {
  torch::manual_seed(7);
  const auto start = torch::randn({9, 21});
  auto sparse = start.clone().requires_grad_(), dense = start.clone().requires_grad_();
  const OptimizerOptions options{.kind = OptimizerKind::RowwiseAdagrad};
  auto on_sparse = make_optimizer(options, {{"w", sparse}}),
       on_dense = make_optimizer(options, {{"w", dense}});
  auto expected = start.clone();
  auto sums = torch::zeros({9, 1});
  for (int step = 0; step < 10; ++step) {
    auto gradient = torch::randn({9, 21});
    const std::vector<int64_t> rows = {step % 3, 4, 5 + step % 4};
    const auto kept = sparse_gradient(gradient, rows);
    sparse.mutable_grad() = kept;
    dense.mutable_grad() = kept.to_dense();
    on_sparse->step(0.05);
    on_dense->step(0.05);
    sums += kept.to_dense().square().mean(1, true);
    expected -= 0.05 * kept.to_dense() / (sums.sqrt() + 1e-8);
  }
  EXPECT_TRUE(torch::allclose(sparse, expected, 1e-5, 1e-6));
  EXPECT_TRUE(torch::allclose(dense, expected, 1e-5, 1e-6));
  EXPECT_TRUE(torch::equal(sparse[3], start[3]));  // never had a gradient
  EXPECT_EQ(on_sparse->state()[0].second.sizes(), torch::IntArrayRef({9}));
}

TEST(Optimizer, DenseAdamGoesOnFromItsState) {
  torch::manual_seed(8);
  const auto start = torch::randn({4, 3});
  auto whole = start.clone().requires_grad_(), resumed = start.clone().requires_grad_();
  const OptimizerOptions options{.kind = OptimizerKind::DenseAdam};
  auto optimizer = make_optimizer(options, {{"w", whole}}), first = make_optimizer(options, {{"w", resumed}});
  std::vector<torch::Tensor> gradients;
  for (int step = 0; step < 6; ++step) gradients.push_back(torch::randn({4, 3}));
  const auto take = [&](Optimizer& by, torch::Tensor& parameter, int step) {
    parameter.mutable_grad() = gradients[static_cast<size_t>(step)].clone();
    by.step(0.01);
  };
  for (int step = 0; step < 6; ++step) take(*optimizer, whole, step);
  for (int step = 0; step < 3; ++step) take(*first, resumed, step);
  auto second = make_optimizer(options, {{"w", resumed}});
  const auto from = first->state(), to = second->state();
  for (size_t i = 0; i < to.size(); ++i) {
    EXPECT_EQ(from[i].first, to[i].first);
    torch::NoGradGuard no_gradient;
    torch::Tensor(to[i].second).copy_(from[i].second);
  }
  second->set_steps(3);
  for (int step = 3; step < 6; ++step) take(*second, resumed, step);
  EXPECT_TRUE(torch::equal(whole, resumed));
}

}  // namespace
}  // namespace semblance
