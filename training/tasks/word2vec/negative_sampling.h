// word2vec's training by negative sampling on the CPU: steps of stochastic gradient descent, window after
// window, on many threads.
//
// A batch is cut into shards of kShardWords words. Each shard copies the rows that it needs of both tables
// and trains on them by itself, word after word; all shards of a batch begin with the same tables, and what
// they changed is added up in their order. So the result does not depend on the number of threads. Frequent
// words stand in many shards, each of which moves them all the way: their changes are damped, see `damping`.
// With hogwild a shard's changes are added as soon as it is done, in any order, so that others begin with
// them.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <span>

#include "data/alias_table.h"
#include "data/ragged.h"
#include "training/tasks/word2vec/windows.h"

namespace semblance {

class NegativeSampling {
 public:
  static constexpr int64_t kShardWords = 1024;

  /// `counts`: of each id in the corpus.
  NegativeSampling(std::span<const int64_t> counts, const WindowOptions& window,
                   const Word2VecOptions& options);
  ~NegativeSampling();

  struct Loss {
    double total = 0;         ///< Σ −log σ(±x)
    int64_t predictions = 0;  ///< of a word by a neighbour, or by the mean of them
  };
  /// Trains `input` and `output`, float32 [rows, dim] on the CPU, on a batch of sentences. All that is drawn
  /// derives from `key`.
  Loss train(const RaggedIds& sentences, uint64_t key, float rate, at::Tensor& input, at::Tensor& output);

 private:
  class LocalRows;
  class Shard;

  // Brings all shards to all ranks; each has its share of them.
  void exchange(std::span<const int64_t> shares);

  Word2VecOptions options_;
  Windows windows_;
  AliasTable negatives_;
  std::vector<std::unique_ptr<Shard>> shards_;
  // Of each row of either table, in a batch: its steps by all shards, and the way that they went.
  std::vector<float> steps_, moved_;
};

}  // namespace semblance
