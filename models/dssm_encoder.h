// The tower of a DSSM (row 6.2), shared by both texts of a pair: mean of the embeddings, then optional
// layers. P. Huang et al., "Learning deep structured semantic models for web search using clickthrough data",
// 2013.
#pragma once

#include <torch/nn/modules/container/modulelist.h>

#include <vector>

#include "models/activation.h"
#include "models/embedding_bag.h"

namespace semblance {

struct DssmEncoderOptions {
  int64_t rows = 0;                      ///< of the embedding: words, then hashed runs
  int64_t dim = 0;                       ///< columns of the embedding
  std::vector<int64_t> projection = {};  ///< widths of the layers after it; none: the mean itself
  Activation activation = Activation::Tanh;
  double alpha = 0.05;  ///< the temperature of the loss, or its first value
  bool learn_alpha = false;
  bool sparse_gradient = false;
  double init_std = 1;
};

class DssmEncoderImpl : public torch::nn::Cloneable<DssmEncoderImpl> {
 public:
  explicit DssmEncoderImpl(const DssmEncoderOptions& options);
  void reset() override;

  /// ids [n] and offsets [texts + 1] as embedding_bag takes them. Returns [texts, dim()]; without layers, a
  /// text without ids has a zero row.
  torch::Tensor forward(const torch::Tensor& ids, const torch::Tensor& offsets);
  int64_t dim() const { return options.projection.empty() ? options.dim : options.projection.back(); }
  /// float32 [], on the CPU if it is not learnt.
  torch::Tensor alpha() const;

  DssmEncoderOptions options;
  EmbeddingBag embedding{nullptr};
  torch::nn::ModuleList layers;  ///< linear; the activation stands between them, not after the last
  torch::Tensor log_alpha;       ///< [], a parameter if it is learnt, else undefined
};
TORCH_MODULE(DssmEncoder);

}  // namespace semblance
