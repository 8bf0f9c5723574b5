#include "training/text_encoder.h"

#include <ATen/Functions.h>
#include <ATen/Parallel.h>

#include <atomic>

namespace semblance {

EncodedTexts MeanVectorEncoder::encode(const Texts& texts) {
  const int64_t dim = vectors_.dim();
  EncodedTexts encoded{.vectors = at::zeros({texts.size(), dim})};
  float* out = encoded.vectors.mutable_data_ptr<float>();
  std::atomic<int64_t> tokens = 0, unknown = 0;
  at::parallel_for(0, texts.size(), 256, [&](int64_t begin, int64_t end) {
    TokenBuffer buffer;
    int64_t shard_tokens = 0, shard_unknown = 0;
    for (int64_t i = begin; i < end; ++i) {
      pipeline_.tokenize(texts[i], buffer);
      float* sum = out + i * dim;
      int64_t known = 0;
      for (const auto token : buffer.tokens) {
        const int64_t id = vectors_.find(token);
        if (id < 0) continue;
        ++known;
        const float* vector = vectors_.vector(id).data();
        for (int64_t d = 0; d < dim; ++d) sum[d] += vector[d];
      }
      if (known > 1)
        for (int64_t d = 0; d < dim; ++d) sum[d] /= static_cast<float>(known);
      shard_tokens += static_cast<int64_t>(buffer.tokens.size());
      shard_unknown += static_cast<int64_t>(buffer.tokens.size()) - known;
    }
    tokens += shard_tokens;
    unknown += shard_unknown;
  });
  encoded.tokens = tokens;
  encoded.unknown_tokens = unknown;
  return encoded;
}

}  // namespace semblance
