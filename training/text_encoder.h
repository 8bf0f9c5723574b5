// What ranking and search ask of a model: vectors for texts.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "data/ragged.h"
#include "data/text/text_pipeline.h"
#include "data/vectors/word_vectors.h"

namespace semblance {

struct EncodedTexts {
  at::Tensor vectors;  ///< [texts, dim], float32, on the CPU; a zero row where no token is known
  int64_t tokens = 0;  ///< in all texts
  int64_t unknown_tokens = 0;
};

class TextEncoder {
 public:
  virtual ~TextEncoder() = default;
  virtual int64_t dim() const = 0;
  /// `texts` are well-formed UTF-8.
  virtual EncodedTexts encode(const Texts& texts) = 0;
};

/// The mean of the known words' vectors, a repeated word counting as often as it stands there (row 3.4).
class MeanVectorEncoder : public TextEncoder {
 public:
  /// Both are to outlive it.
  MeanVectorEncoder(const WordVectors& vectors, const TextPipeline& pipeline)
      : vectors_(vectors), pipeline_(pipeline) {}
  int64_t dim() const override { return vectors_.dim(); }
  EncodedTexts encode(const Texts& texts) override;

 private:
  const WordVectors& vectors_;
  const TextPipeline& pipeline_;
};

}  // namespace semblance
