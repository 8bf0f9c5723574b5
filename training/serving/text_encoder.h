// What ranking and search ask of a model: vectors for texts.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "data/ragged.h"
#include "data/text/text_pipeline.h"
#include "data/text/token_weights.h"
#include "data/vectors/word_vectors.h"
#include "training/serving/word_encoder.h"

namespace semblance {

struct EncodedTexts {
  at::Tensor vectors;       ///< [texts, dim], float32, on the CPU; a zero row where no token is known
  std::vector<char> known;  ///< of each text, whether it has something that the encoder knows
  int64_t tokens = 0;       ///< in all texts
  int64_t unknown_tokens = 0;
};

/// To be used by one thread at a time; `encode` spreads its work over LibTorch's threads itself.
class TextEncoder {
 public:
  virtual ~TextEncoder() = default;
  virtual int64_t dim() const = 0;
  /// `texts` are well-formed UTF-8.
  virtual EncodedTexts encode(const Texts& texts) = 0;
};

/// The mean of the known words' vectors, a repeated word counting as often as it stands there (row 3.4). With
/// `oov`, words that are not known take part with the vectors that it makes; with `weights`, each vector is
/// multiplied by its word's weight (row 6.6).
class MeanVectorEncoder : public TextEncoder {
 public:
  /// All are to outlive it; `oov` and `weights` may be null.
  MeanVectorEncoder(const WordVectors& vectors, const TextPipeline& pipeline,
                    const WordEncoder* oov = nullptr, const WordWeights* weights = nullptr)
      : vectors_(vectors), pipeline_(pipeline), oov_(oov), weights_(weights) {}
  int64_t dim() const override { return vectors_.dim(); }
  EncodedTexts encode(const Texts& texts) override;

 private:
  const WordVectors& vectors_;
  const TextPipeline& pipeline_;
  const WordEncoder* oov_;
  const WordWeights* weights_;
};

/// Takes from another encoder's vectors what they have in common: the first principal component of the texts
/// that it was shown, through zero (Arora, Liang and Ma 2017).
class CommonComponentRemover : public TextEncoder {
 public:
  /// `encoder` is to outlive it.
  explicit CommonComponentRemover(TextEncoder& encoder);
  /// May be called any number of times, before `encode`.
  void fit(const Texts& texts);
  int64_t dim() const override { return encoder_.dim(); }
  EncodedTexts encode(const Texts& texts) override;

 private:
  TextEncoder& encoder_;
  at::Tensor moments_;    // [dim, dim], double: sum of the outer products of the vectors shown
  at::Tensor component_;  // [dim], of length 1; undefined until it is needed
};

}  // namespace semblance
