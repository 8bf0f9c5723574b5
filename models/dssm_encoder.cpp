#include "models/dssm_encoder.h"

#include <torch/nn/modules/linear.h>

#include <cmath>

#include "models/blocks.h"
#include "models/layer_summary.h"

namespace semblance {

DssmEncoderImpl::DssmEncoderImpl(const DssmEncoderOptions& encoder_options) : options(encoder_options) {
  reset();
}

void DssmEncoderImpl::reset() {
  embedding = register_module("embedding",
                              EmbeddingBag(EmbeddingBagOptions{.rows = options.rows,
                                                               .dim = options.dim,
                                                               .pooling = BagPooling::Mean,
                                                               .weighting = options.weighting,
                                                               .idf = options.idf,
                                                               .sparse_gradient = options.sparse_gradient,
                                                               .init_std = options.init_std,
                                                               .embedding = options.embedding,
                                                               .packed = options.packed}));
  layers = register_module("layers", torch::nn::ModuleList());
  int64_t width = options.dim;
  for (const int64_t next : options.projection) {
    layers->push_back(torch::nn::Linear(width, next));
    width = next;
  }
  // Its logarithm: steps of an optimizer cannot make the temperature negative.
  log_alpha = options.learn_alpha ? register_parameter("log_alpha", torch::full({}, std::log(options.alpha)))
                                  : torch::Tensor();
}

torch::Tensor DssmEncoderImpl::forward(const torch::Tensor& ids, const torch::Tensor& offsets) {
  auto x = embedding->forward(ids, offsets);
  for (size_t i = 0; i < layers->size(); ++i) {
    if (i > 0) x = activate(x, options.activation, /*slope=*/0.01);
    const auto layer = layers->ptr<torch::nn::LinearImpl>(i);
    x = linear(x, layer->weight, layer->bias);
  }
  return x;
}

std::vector<LayerSummary> DssmEncoderImpl::summary() const {
  auto rows = embedding->summary();
  for (size_t i = 0; i < layers->size(); ++i) {
    if (i > 0) rows.push_back({"activation", rows.back().output_shape});
    rows.push_back(summary_of(*layers->ptr<torch::nn::LinearImpl>(i)));
  }
  if (log_alpha.defined()) rows.push_back({"temperature", "[]", 1, true});
  return rows;
}

torch::Tensor DssmEncoderImpl::alpha() const {
  return log_alpha.defined() ? log_alpha.exp() : torch::full({}, options.alpha);
}

std::shared_ptr<DssmNetwork> make_dssm_encoder(const DssmEncoderOptions& options) {
  return std::make_shared<DssmEncoderImpl>(options);
}

}  // namespace semblance
