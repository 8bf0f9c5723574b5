// Classifiers of bags of words: embedding, pooling, fully connected layers (rows 2.1, 2.3, 2.4).
#pragma once

#include <torch/nn/modules/container/modulelist.h>

#include <string>
#include <vector>

#include "models/activation.h"
#include "models/embedding_bag.h"

namespace semblance {

struct TextClassifierOptions {
  int64_t vocabulary = 0;  ///< rows of the embedding that belong to words
  int64_t ngram_rows =
      0;            ///< rows after them; they start at zero, so that an n-gram never trained on adds nothing
  int64_t dim = 0;  ///< columns of the embedding
  int64_t outputs = 1;               ///< logits a text
  std::vector<int64_t> hidden = {};  ///< widths of the hidden layers; none: one linear layer
  Activation activation = Activation::Relu;
  double activation_slope = 0.01;
  double dropout = 0;       ///< after each hidden layer; of the pooled vector where there is none
  int64_t flat_length = 0;  ///< 0: the mean of the embeddings; else texts of so many ids, side by side
  bool sparse_gradient = false;
  double init_std = 1;
};

/// A line of a model summary, as Keras prints it.
struct LayerSummary {
  std::string layer;
  std::string output_shape;
  int64_t parameters;
};

class TextClassifierImpl : public torch::nn::Cloneable<TextClassifierImpl> {
 public:
  explicit TextClassifierImpl(const TextClassifierOptions& options);
  void reset() override;

  /// ids [n] and offsets [batch + 1] as embedding_bag takes them; for a flat model every row has
  /// `flat_length` ids. Returns logits [batch, outputs].
  torch::Tensor forward(const torch::Tensor& ids, const torch::Tensor& offsets);

  std::vector<LayerSummary> summary() const;

  TextClassifierOptions options;
  EmbeddingBag embedding{nullptr};
  torch::nn::ModuleList layers;  ///< the linear layers
};
TORCH_MODULE(TextClassifier);

}  // namespace semblance
