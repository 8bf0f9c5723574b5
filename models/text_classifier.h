// Classifiers of bags of words: embedding, pooling, fully connected layers (rows 2.1, 2.3, 2.4).
#pragma once

#include <torch/nn/modules/container/modulelist.h>

#include <vector>

#include "models/embedding_bag.h"

namespace semblance {

class TextClassifierImpl : public torch::nn::Cloneable<TextClassifierImpl>, public ClassifierNetwork {
 public:
  explicit TextClassifierImpl(const TextClassifierOptions& options);
  void reset() override;

  /// ids [n] and offsets [batch + 1] as embedding_bag takes them; for a flat model every row has
  /// `flat_length` ids. Returns logits [batch, outputs].
  torch::Tensor forward(const torch::Tensor& ids, const torch::Tensor& offsets) override;
  torch::Tensor forward_some(const torch::Tensor& ids, const torch::Tensor& offsets,
                             const torch::Tensor& outputs) override;
  torch::nn::Module& module() override { return *this; }
  torch::Tensor& table() override { return embedding->weight; }
  torch::Tensor rows(int64_t first, int64_t count) const override { return embedding->rows(first, count); }
  torch::Tensor row_logits(int64_t first, int64_t count) const override;
  std::vector<LayerSummary> summary() const override;

  TextClassifierOptions options;
  EmbeddingBag embedding{nullptr};
  torch::nn::ModuleList layers;  ///< the linear layers; none of a linear model
  torch::Tensor bias;            ///< [outputs], of a linear model alone

 private:
  torch::Tensor last_inputs(const torch::Tensor& ids, const torch::Tensor& offsets);
};
TORCH_MODULE(TextClassifier);

}  // namespace semblance
