// The steps that a GPU would run, on the CPU and on LibTorch's meta device, whose tensors have shapes and no
// numbers: what mixes devices fails there, and so does what reads a number back.
#include <ATen/record_function.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <functional>
#include <mutex>
#include <set>
#include <utility>

#include "models/blocks.h"
#include "models/embedding_bag.h"
#include "models/kernel_choice.h"
#include "models/losses.h"
#include "models/module_access.h"
#include "models/networks.h"
#include "models/nt_xent.h"
#include "models/word2vec.h"
#include "training/optimizer.h"

namespace semblance {
namespace {

// The operators that run between begin() and end(), on any thread: forward, backward, and those that
// operators call, but for what LibTorch's fused optimizers do within themselves, which each device has its
// own of.
class Operators {
 public:
  void begin() {
    handle_ =
        at::addGlobalCallback(at::RecordFunctionCallback(&enter, &leave).scopes({at::RecordScope::FUNCTION}));
  }
  std::set<std::string> end() {
    at::removeCallback(handle_);
    return std::exchange(names(), {});
  }

 private:
  struct Fused : at::ObserverContext {
    ~Fused() override { --depth(); }
  };
  static int& depth() {
    thread_local int within = 0;
    return within;
  }
  static std::set<std::string>& names() {
    static std::set<std::string> all;
    return all;
  }
  static std::unique_ptr<at::ObserverContext> enter(const at::RecordFunction& function) {
    const std::string name = function.name();
    if (!name.starts_with("aten::") || depth() > 0) return nullptr;
    static std::mutex one_at_a_time;
    const std::lock_guard lock(one_at_a_time);
    names().insert(name.substr(6));
    if (!name.starts_with("aten::_fused_")) return nullptr;
    ++depth();
    return std::make_unique<Fused>();
  }
  static void leave(const at::RecordFunction&, at::ObserverContext*) {}

  at::CallbackHandle handle_{};
};

std::set<std::string> operators_of(const std::function<void()>& body) {
  Operators operators;
  operators.begin();
  try {
    body();
  } catch (...) {
    operators.end();
    throw;
  }
  return operators.end();
}

class WithLibTorch : public ::testing::Test {
 protected:
  WithLibTorch() { choose_kernels(KernelChoice::LibTorch); }
  ~WithLibTorch() override { choose_kernels(KernelChoice::Own); }
};

constexpr int64_t kBatch = 6, kRows = 40;

at::Tensor ids(c10::Device device) {
  return at::arange(24, at::dtype(at::kLong)).mul(7).remainder(kRows).to(device);
}
at::Tensor offsets(c10::Device device, int64_t bags) {
  return at::arange(bags + 1, at::dtype(at::kLong)).mul(24 / bags).to(device);
}

// A step of training of each kind: makes a model on the device, and what to do with it.
using Step = std::function<void()>;
template <class Network>
Step step_of(std::shared_ptr<Network> network, c10::Device device, OptimizerKind kind,
             std::function<LossSum(Network&)> loss, double clip = 0) {
  move_to(network->module(), device);
  const std::shared_ptr<Optimizer> optimizer = make_optimizer(
      {.kind = kind, .momentum = 0, .weight_decay = 0.01}, trained_parameters(network->module()));
  return [=] {
    optimizer->zero_grad();
    loss(*network).mean().backward();
    if (clip > 0) optimizer->clip_gradients(clip);
    optimizer->step(0.01);
  };
}

std::vector<std::pair<std::string, std::function<Step(c10::Device)>>> steps() {
  const auto classifier = [](OptimizerKind kind, RowWeighting weighting, bool sparse) {
    return [=](c10::Device device) {
      TextClassifierOptions options;
      options.vocabulary = kRows;
      options.dim = 8;
      options.outputs = 3;
      options.hidden = {5};
      options.dropout = 0.5;
      options.weighting = weighting;
      options.sparse_gradient = sparse;
      return step_of<ClassifierNetwork>(
          make_text_classifier(options), device, kind,
          [=](ClassifierNetwork& network) {
            const auto targets = at::arange(kBatch, at::dtype(at::kLong)).remainder(3).to(device);
            return classification_loss(network.forward(ids(device), offsets(device, kBatch)), targets,
                                       ClassificationLoss::CrossEntropy, {});
          },
          /*clip=*/1);
    };
  };
  const auto dssm = [](OptimizerKind kind, bool sparse) {
    return [=](c10::Device device) {
      DssmEncoderOptions options;
      options.rows = kRows;
      options.dim = 8;
      options.projection = {6, 4};
      options.learn_alpha = true;
      options.sparse_gradient = sparse;
      return step_of<DssmNetwork>(make_dssm_encoder(options), device, kind, [=](DssmNetwork& network) {
        const auto groups = at::arange(kBatch / 2, at::dtype(at::kLong)).remainder(2).to(device);
        return nt_xent(network.forward(ids(device), offsets(device, kBatch)), network.alpha(), groups);
      });
    };
  };
  const auto trigram = [](c10::Device device) {
    return step_of<Network>(make_embedding_bag({.rows = kRows, .dim = 8, .pooling = BagPooling::Sum}), device,
                            OptimizerKind::Adam, [=](Network& network) {
                              return squared_error(network.forward(ids(device), offsets(device, kBatch)),
                                                   at::zeros({kBatch, 8}, at::device(device)));
                            });
  };
  return {{"sentiment, adam", classifier(OptimizerKind::Adam, RowWeighting::None, false)},
          {"sentiment, adamw and idf", classifier(OptimizerKind::AdamW, RowWeighting::IdfMean, false)},
          {"sentiment, rowwise-adagrad", classifier(OptimizerKind::RowwiseAdagrad, RowWeighting::None, true)},
          {"dssm, adam", dssm(OptimizerKind::Adam, false)},
          {"dssm, lazy-adam", dssm(OptimizerKind::LazyAdam, true)},
          {"trigram", trigram}};
}

std::string joined(const std::set<std::string>& names) {
  std::string text;
  for (const auto& name : names) (text += text.empty() ? "" : " ") += name;
  return text;
}

TEST_F(WithLibTorch, StepsReadNothingBack) {
  for (const auto& [name, make] : steps()) {
    const auto step = make(at::kCPU);
    step();  // the optimizer's state is there
    const auto names = operators_of(step);
    EXPECT_GT(names.size(), 10u) << name;
    for (const auto* reads : {"item", "_local_scalar_dense", "nonzero", "is_nonzero"})
      EXPECT_FALSE(names.contains(reads)) << name << ": " << reads;
    RecordProperty(name, joined(names));
  }
}

// All that comes behind the pooling, to the step of an optimizer: LibTorch's _embedding_bag and its fused
// optimizers have no kernel for meta tensors outside Python. Modules cannot be moved there from C++, so that
// the functions are called that they call.
TEST_F(WithLibTorch, WhatFollowsThePoolingRunsOnTheMetaDevice) {
  const auto floats = at::device(at::kMeta).dtype(at::kFloat), longs = at::device(at::kMeta).dtype(at::kLong);
  const auto parameter = [&](at::IntArrayRef sizes) { return at::zeros(sizes, floats).requires_grad_(true); };
  const auto follow = [&](bool ranks_pairs) {
    const auto pooled = parameter({kBatch, 8}), weight = parameter({4, 8}), bias = parameter({4});
    const auto optimizer =
        make_optimizer({.kind = OptimizerKind::RowwiseAdagrad, .momentum = 0, .weight_decay = 0.01},
                       {{"pooled", pooled}, {"weight", weight}, {"bias", bias}});
    const auto out = linear(activate(pooled, Activation::Tanh, 0.01), weight, bias);
    const LossSum loss = ranks_pairs ? nt_xent(out, at::ones({}, floats), at::zeros({kBatch / 2}, longs))
                                     : classification_loss(out, at::zeros({kBatch}, longs),
                                                           ClassificationLoss::CrossEntropy, {});
    EXPECT_TRUE(loss.mean().is_meta());
    if (ranks_pairs) return;  // the gradient of clamp_min has no kernel there either
    loss.mean().backward();
    EXPECT_TRUE(pooled.grad().is_meta());
    optimizer->clip_gradients(1);
    optimizer->step(0.1);
  };
  const auto names = operators_of([&] {
    follow(false);
    follow(true);
  });
  RecordProperty("meta", joined(names));
}

}  // namespace
}  // namespace semblance
