// The tower of a DSSM (row 6.2), shared by both texts of a pair: mean of the embeddings, then optional
// layers. P. Huang et al., "Learning deep structured semantic models for web search using clickthrough data",
// 2013.
#pragma once

#include <torch/nn/modules/container/modulelist.h>

#include "models/embedding_bag.h"

namespace semblance {

class DssmEncoderImpl : public torch::nn::Cloneable<DssmEncoderImpl>, public DssmNetwork {
 public:
  explicit DssmEncoderImpl(const DssmEncoderOptions& options);
  void reset() override;

  /// ids [n] and offsets [texts + 1] as embedding_bag takes them. Returns [texts, dim()]; without layers, a
  /// text without ids has a zero row.
  torch::Tensor forward(const torch::Tensor& ids, const torch::Tensor& offsets) override;
  torch::nn::Module& module() override { return *this; }
  torch::Tensor& table() override { return embedding->weight; }
  torch::Tensor rows(int64_t first, int64_t count) const override { return embedding->rows(first, count); }
  std::vector<LayerSummary> summary() const override;
  int64_t dim() const override {
    return options.projection.empty() ? options.dim : options.projection.back();
  }
  torch::Tensor alpha() const override;

  DssmEncoderOptions options;
  EmbeddingBag embedding{nullptr};
  torch::nn::ModuleList layers;  ///< linear; the activation stands between them, not after the last
  torch::Tensor log_alpha;       ///< [], a parameter if it is learnt, else undefined
};
TORCH_MODULE(DssmEncoder);

}  // namespace semblance
