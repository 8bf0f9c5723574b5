// A table of vectors, looked up by bags of ids and pooled; its gradient can name the touched rows only.
#pragma once

#include <torch/nn/cloneable.h>
#include <torch/nn/pimpl.h>

#include "models/networks.h"

namespace semblance {

/// Pools the rows of `weight` [rows, dim] that each bag names.
///   ids      [n]          int64, each in [0, rows)
///   offsets  [bags + 1]   int64, ascending from 0 to n; bag b is ids[offsets[b], offsets[b + 1])
/// Returns [bags, dim]; an empty bag gives zeros. With `sparse_gradient` the gradient of `weight` is a
/// coalesced sparse tensor over the rows that occur in `ids`, else a dense one. On the CPU the values do not
/// depend on the number of threads. With `weights`, float [n], each row counts so much, and the pooling is a
/// sum. `options` may change rows of `weight` (max_norm), not what the gradient is of. Throws c10::Error for
/// an id or offset out of range (on CUDA the device asserts).
torch::Tensor embedding_bag(const torch::Tensor& weight, const torch::Tensor& ids,
                            const torch::Tensor& offsets, BagPooling pooling, bool sparse_gradient,
                            const torch::Tensor& weights = {}, const EmbeddingOptions& options = {});

/// The same of a packed table, on the CPU; it has no gradient.
torch::Tensor packed_embedding_bag(const PackedTable& table, const torch::Tensor& ids,
                                   const torch::Tensor& offsets, BagPooling pooling,
                                   const torch::Tensor& weights = {});

/// The weights, float [n], that `weighting` (not None) gives to ids in bags as embedding_bag takes them; idf:
/// float [rows].
torch::Tensor row_weights(const torch::Tensor& idf, const torch::Tensor& ids, const torch::Tensor& offsets,
                          RowWeighting weighting);

class EmbeddingBagImpl : public torch::nn::Cloneable<EmbeddingBagImpl>, public Network {
 public:
  explicit EmbeddingBagImpl(const EmbeddingBagOptions& options);
  void reset() override;

  torch::nn::Module& module() override { return *this; }
  /// See embedding_bag.
  torch::Tensor forward(const torch::Tensor& ids, const torch::Tensor& offsets) override;
  torch::Tensor& table() override { return weight; }
  torch::Tensor rows(int64_t first, int64_t count) const override;
  std::vector<LayerSummary> summary() const override;
  /// Each id's row by itself: [n, dim].
  torch::Tensor look_up(const torch::Tensor& ids);

  EmbeddingBagOptions options;
  torch::Tensor weight;  ///< [rows, dim]; int8, a buffer, where it is packed
  torch::Tensor scales;  ///< [rows], a buffer of a packed table
  torch::Tensor idf;     ///< [rows], a buffer; undefined where there is no weighting
};
TORCH_MODULE(EmbeddingBag);

}  // namespace semblance
