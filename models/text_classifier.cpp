#include "models/text_classifier.h"

#include <torch/nn/modules/linear.h>

#include <stdexcept>

#include "models/blocks.h"
#include "models/layer_summary.h"

namespace semblance {

TextClassifierImpl::TextClassifierImpl(const TextClassifierOptions& classifier_options)
    : options(classifier_options) {
  reset();
}

void TextClassifierImpl::reset() {
  embedding = register_module(
      "embedding", EmbeddingBag(EmbeddingBagOptions{.rows = options.vocabulary + options.ngram_rows,
                                                    .dim = options.linear ? options.outputs : options.dim,
                                                    .pooling = BagPooling::Mean,
                                                    .weighting = options.weighting,
                                                    .idf = options.idf,
                                                    .sparse_gradient = options.sparse_gradient,
                                                    .init_std = options.init_std,
                                                    .embedding = options.embedding,
                                                    .packed = options.packed}));
  if (!options.packed.defined()) {
    const torch::NoGradGuard no_gradient;
    const int64_t fresh = options.linear ? 0 : options.vocabulary;
    embedding->weight.narrow(0, fresh, embedding->weight.size(0) - fresh).zero_();
  }
  bias = options.linear ? register_parameter("bias", torch::zeros({options.outputs})) : torch::Tensor();
  layers = register_module("layers", torch::nn::ModuleList());
  if (options.linear) return;
  int64_t width = options.flat_length > 0 ? options.flat_length * options.dim : options.dim;
  for (const int64_t next : options.hidden) {
    layers->push_back(torch::nn::Linear(width, next));
    width = next;
  }
  layers->push_back(torch::nn::Linear(width, options.outputs));
}

torch::Tensor TextClassifierImpl::last_inputs(const torch::Tensor& ids, const torch::Tensor& offsets) {
  auto x = options.flat_length > 0 ? embedding->look_up(ids).view({-1, options.flat_length * options.dim})
                                   : embedding->forward(ids, offsets);
  const bool drop = options.dropout > 0 && is_training();
  if (drop && options.hidden.empty()) x = torch::dropout(x, options.dropout, true);
  for (size_t i = 0; i + 1 < layers->size(); ++i) {
    const auto layer = layers->ptr<torch::nn::LinearImpl>(i);
    x = linear(x, layer->weight, layer->bias);
    x = activate(x, options.activation, options.activation_slope);
    if (drop) x = torch::dropout(x, options.dropout, true);
  }
  return x;
}

torch::Tensor TextClassifierImpl::forward(const torch::Tensor& ids, const torch::Tensor& offsets) {
  if (options.linear) return embedding->forward(ids, offsets) + bias;
  const auto last = layers->ptr<torch::nn::LinearImpl>(layers->size() - 1);
  return linear(last_inputs(ids, offsets), last->weight, last->bias);
}

torch::Tensor TextClassifierImpl::forward_some(const torch::Tensor& ids, const torch::Tensor& offsets,
                                               const torch::Tensor& outputs) {
  if (options.linear) throw std::logic_error("forward_some: expected a classifier with a last layer");
  const auto last = layers->ptr<torch::nn::LinearImpl>(layers->size() - 1);
  const auto weight = at::embedding(last->weight, outputs, /*padding_idx=*/-1, /*scale_grad_by_freq=*/false,
                                    options.sparse_gradient);
  return linear(last_inputs(ids, offsets), weight, last->bias.index_select(0, outputs));
}

torch::Tensor TextClassifierImpl::row_logits(int64_t first, int64_t count) const {
  if (options.flat_length > 0 || !options.hidden.empty())
    throw std::logic_error("row_logits: expected a classifier that is linear in its rows");
  const auto rows = embedding->rows(first, count);
  return options.linear ? rows : rows.mm(layers->ptr<torch::nn::LinearImpl>(0)->weight.t());
}

std::vector<LayerSummary> TextClassifierImpl::summary() const {
  if (options.linear)
    return {{"tf-idf, linear", batch_shape({options.outputs}), embedding->weight.numel() + bias.numel(),
             embedding->weight.requires_grad()}};
  auto rows = embedding->summary();
  if (options.flat_length > 0) {
    rows[0].layer = "embedding";
    rows[0].output_shape = batch_shape({options.flat_length, options.dim});
    rows.push_back({"flatten", batch_shape({options.flat_length * options.dim})});
  }
  if (options.dropout > 0 && options.hidden.empty()) rows.push_back({"dropout", rows.back().output_shape});
  for (size_t i = 0; i < layers->size(); ++i) {
    rows.push_back(summary_of(*layers->ptr<torch::nn::LinearImpl>(i)));
    const auto output = rows.back().output_shape;
    if (i + 1 == layers->size()) break;
    rows.push_back({"activation", output});
    if (options.dropout > 0) rows.push_back({"dropout", output});
  }
  return rows;
}

std::shared_ptr<ClassifierNetwork> make_text_classifier(const TextClassifierOptions& options) {
  return std::make_shared<TextClassifierImpl>(options);
}

}  // namespace semblance
