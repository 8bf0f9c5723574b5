#include "training/text_encoder.h"

#include <ATen/Functions.h>
#include <ATen/Parallel.h>

#include <atomic>

#include "models/kernels.h"

namespace semblance {

EncodedTexts MeanVectorEncoder::encode(const Texts& texts) {
  const int64_t dim = vectors_.dim();
  EncodedTexts encoded{.vectors = at::zeros({texts.size(), dim})};
  float* out = encoded.vectors.mutable_data_ptr<float>();
  std::atomic<int64_t> tokens = 0, known = 0;
  at::parallel_for(0, texts.size(), 256, [&](int64_t begin, int64_t end) {
    TokenBuffer buffer;
    Ragged<int64_t> ids;
    int64_t shard_tokens = 0;
    for (int64_t i = begin; i < end; ++i) {
      pipeline_.tokenize(texts[i], buffer);
      for (const auto token : buffer.tokens)
        if (const int64_t id = vectors_.find(token); id >= 0) ids.values.push_back(id);
      ids.close_row();
      shard_tokens += static_cast<int64_t>(buffer.tokens.size());
    }
    kernels::pool_bags(vectors_.values().data(), ids.values.data(), ids.offsets.data(), 0, ids.size(), dim,
                       true, out + begin * dim);
    tokens += shard_tokens;
    known += static_cast<int64_t>(ids.values.size());
  });
  encoded.tokens = tokens;
  encoded.unknown_tokens = tokens - known;
  return encoded;
}

}  // namespace semblance
