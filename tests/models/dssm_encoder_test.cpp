#include "models/dssm_encoder.h"

#include <gtest/gtest.h>
#include <torch/nn/functional/normalization.h>
#include <torch/nn/modules/linear.h>
#include <torch/types.h>

#include "models/nt_xent.h"

namespace semblance {
namespace {

const auto kIds = torch::tensor({int64_t{1}, int64_t{2}, int64_t{2}, int64_t{0}});
const auto kOffsets = torch::tensor({int64_t{0}, int64_t{2}, int64_t{2}, int64_t{4}});

TEST(DssmEncoder, IsTheMeanOfTheEmbeddings) {
  torch::manual_seed(1);
  DssmEncoder encoder(DssmEncoderOptions{.rows = 3, .dim = 4});
  const auto out = encoder->forward(kIds, kOffsets);
  const auto close = [](const torch::Tensor& a, const torch::Tensor& b) {
    return torch::allclose(a, b, 1e-5, 1e-6);
  };
  const auto& w = encoder->embedding->weight;
  EXPECT_TRUE(close(out[0], (w[1] + w[2]) / 2));
  EXPECT_TRUE(torch::equal(out[1], torch::zeros({4})));  // no ids
  EXPECT_TRUE(close(out[2], (w[2] + w[0]) / 2));
  EXPECT_EQ(encoder->parameters().size(), 1u);
  EXPECT_FLOAT_EQ(encoder->alpha().item<float>(), 0.05f);
}

TEST(DssmEncoder, LayersFollowWithAnActivationBetweenThem) {
  torch::manual_seed(2);
  DssmEncoder encoder(
      DssmEncoderOptions{.rows = 3, .dim = 4, .projection = {5, 2}, .activation = Activation::Tanh});
  EXPECT_EQ(encoder->dim(), 2);
  const auto pooled = encoder->embedding->forward(kIds, kOffsets);
  const auto first = encoder->layers->ptr<torch::nn::LinearImpl>(0),
             second = encoder->layers->ptr<torch::nn::LinearImpl>(1);
  EXPECT_TRUE(torch::allclose(encoder->forward(kIds, kOffsets),
                              second->forward(torch::tanh(first->forward(pooled))), 1e-5, 1e-6));
}

TEST(DssmEncoder, ALearntTemperatureGetsAGradientAndStaysPositive) {
  torch::manual_seed(3);
  DssmEncoder encoder(DssmEncoderOptions{.rows = 3, .dim = 4, .alpha = 0.5, .learn_alpha = true});
  EXPECT_NEAR(encoder->alpha().item<double>(), 0.5, 1e-6);
  const auto offsets = torch::tensor({int64_t{0}, int64_t{1}, int64_t{2}, int64_t{3}, int64_t{4}});
  nt_xent(encoder->forward(kIds, offsets), encoder->alpha()).mean().backward();
  ASSERT_TRUE(encoder->log_alpha.grad().defined());
  EXPECT_NE(encoder->log_alpha.grad().item<double>(), 0);
}

}  // namespace
}  // namespace semblance
