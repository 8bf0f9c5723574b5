// A table of vectors, looked up by bags of ids and pooled; its gradient can name the touched rows only.
#pragma once

#include <torch/nn/cloneable.h>
#include <torch/nn/pimpl.h>

namespace semblance {

enum class BagPooling { Sum, Mean };

/// Pools the rows of `weight` [rows, dim] that each bag names.
///   ids      [n]          int64, each in [0, rows)
///   offsets  [bags + 1]   int64, ascending from 0 to n; bag b is ids[offsets[b], offsets[b + 1])
/// Returns [bags, dim]; an empty bag gives zeros. With `sparse_gradient` the gradient of `weight` is a
/// coalesced sparse tensor over the rows that occur in `ids`, else a dense one. On the CPU the values do not
/// depend on the number of threads. Throws c10::Error for an id or offset out of range (on CUDA the device
/// asserts).
torch::Tensor embedding_bag(const torch::Tensor& weight, const torch::Tensor& ids,
                            const torch::Tensor& offsets, BagPooling pooling, bool sparse_gradient);

struct EmbeddingBagOptions {
  int64_t rows = 0;
  int64_t dim = 0;
  BagPooling pooling = BagPooling::Mean;
  bool sparse_gradient = false;
  double init_std = 1;  ///< rows start normally distributed around zero; torch.nn.EmbeddingBag has 1
};

class EmbeddingBagImpl : public torch::nn::Cloneable<EmbeddingBagImpl> {
 public:
  explicit EmbeddingBagImpl(const EmbeddingBagOptions& options);
  void reset() override;

  /// See embedding_bag.
  torch::Tensor forward(const torch::Tensor& ids, const torch::Tensor& offsets);
  /// Each id's row by itself: [n, dim].
  torch::Tensor look_up(const torch::Tensor& ids);

  EmbeddingBagOptions options;
  torch::Tensor weight;  ///< [rows, dim]
};
TORCH_MODULE(EmbeddingBag);

}  // namespace semblance
