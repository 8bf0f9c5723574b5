// A corpus in batches of words.
#pragma once

#include <c10/core/Device.h>

#include <cstdint>
#include <memory>

#include "data/corpus/corpus.h"

namespace semblance {

struct TokenBatch {
  RaggedIds sentences;  ///< ids of words in the vocabulary, a row for each sentence or part of one
  uint64_t key = 0;     ///< what its random choices derive from

  /// Stays where it is: what is made of it moves.
  TokenBatch to(c10::Device) const { return *this; }
};

/// Consecutive words of a corpus, in its order in every epoch; see BatchSource. The words of a batch are
/// counted before those outside the vocabulary are left out.
class TokenBatches {
 public:
  using Batch = TokenBatch;
  static constexpr const char* kUnit = "words";

  /// `corpus` is to outlive it.
  TokenBatches(const Corpus& corpus, int64_t batch_size, uint64_t seed)
      : corpus_(corpus), batch_size_(batch_size), seed_(seed) {}

  int64_t examples() const { return corpus_.tokens(); }
  int64_t batches() const { return (examples() + batch_size_ - 1) / batch_size_; }
  int64_t examples(int64_t i) const { return std::min(batch_size_, examples() - i * batch_size_); }

  class Epoch {
   public:
    Epoch(const TokenBatches& source, int64_t epoch);
    TokenBatch batch(int64_t i);

   private:
    const TokenBatches* source_;
    uint64_t key_;
    std::unique_ptr<Corpus::Reader> reader_;  // opened with the first batch that is asked for
  };
  Epoch epoch(int64_t epoch) const { return {*this, epoch}; }

 private:
  const Corpus& corpus_;
  int64_t batch_size_;
  uint64_t seed_;
};

}  // namespace semblance
