// word2vec's network (row 7.1): two tables of word vectors.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "models/networks.h"

namespace torch::nn {
class Module;
}

namespace semblance {

struct Word2VecNetworkOptions {
  int64_t rows = 0;  ///< words
  int64_t dim = 0;
  /// How the tables begin: for a softmax over all words as torch.nn.Linear's do; else as in the original,
  /// `input` evenly within ±½ / dim and `output` at zero.
  bool full_softmax = false;
};

/// `input` is what is kept; `output` says which words stand near a vector. Not to be shared between threads
/// while it is trained.
class Word2VecNetwork {
 public:
  virtual ~Word2VecNetwork() = default;
  virtual torch::nn::Module& module() = 0;
  /// Float [rows, dim]; live.
  virtual at::Tensor& input() = 0;
  virtual at::Tensor& output() = 0;
  /// The lecture's network: two linear layers without bias, the first of one-hot vectors or, by an embedding,
  /// of their means. ids [n] and offsets [batch + 1] as embedding_bag takes them; returns logits [batch,
  /// rows].
  virtual at::Tensor forward(const at::Tensor& ids, const at::Tensor& offsets) = 0;
  /// The two tables as layers.
  virtual std::vector<LayerSummary> summary() const = 0;
};

std::shared_ptr<Word2VecNetwork> make_word2vec(const Word2VecNetworkOptions& options);

}  // namespace semblance
