#include "training/serving/text_encoder.h"

#include <atomic>

#include "data/tensors.h"
#include "models/kernels.h"
#include "models/parallel.h"

namespace semblance {

EncodedTexts MeanVectorEncoder::encode(const Texts& texts) {
  const int64_t dim = vectors_.dim();
  EncodedTexts encoded{.vectors = zero_tensor({texts.size(), dim}),
                       .known = std::vector<char>(static_cast<size_t>(texts.size()))};
  float* out = encoded.vectors.mutable_data_ptr<float>();
  std::atomic<int64_t> tokens = 0, known = 0;
  constexpr double kTextCost = 3000;  // nanoseconds, of a short one
  parallel_for(texts.size(), kTextCost, [&](int64_t begin, int64_t end) {
    TokenBuffer buffer;
    Ragged<int64_t> ids;
    Ragged<float> made;  // of each text: the vectors of its unknown words, one after another
    int64_t shard_tokens = 0;
    for (int64_t i = begin; i < end; ++i) {
      pipeline_.tokenize(texts[i], buffer);
      for (const auto token : buffer.tokens)
        if (const int64_t id = vectors_.find(token); id >= 0) {
          ids.values.push_back(id);
        } else if (oov_) {
          const size_t size = made.values.size();
          made.values.resize(size + static_cast<size_t>(dim));
          if (!oov_->encode(token, std::span(made.values).subspan(size))) made.values.resize(size);
        }
      ids.close_row();
      made.close_row();
      shard_tokens += static_cast<int64_t>(buffer.tokens.size());
    }
    kernels::pool_bags(vectors_.values().data(), ids.values.data(), ids.offsets.data(), 0, ids.size(), dim,
                       oov_ == nullptr, out + begin * dim);
    for (int64_t i = 0; i < ids.size(); ++i)
      encoded.known[static_cast<size_t>(begin + i)] = ids.length(i) + made.length(i) > 0;
    for (int64_t i = 0; oov_ && i < ids.size(); ++i) {
      float* sum = out + (begin + i) * dim;
      const auto vectors = made[i];
      for (size_t j = 0; j < vectors.size(); ++j) sum[j % static_cast<size_t>(dim)] += vectors[j];
      const int64_t words = ids.length(i) + static_cast<int64_t>(vectors.size()) / dim;
      for (int64_t d = 0; words > 0 && d < dim; ++d) sum[d] /= static_cast<float>(words);
    }
    tokens += shard_tokens;
    known += static_cast<int64_t>(ids.values.size() + made.values.size() / static_cast<size_t>(dim));
  });
  encoded.tokens = tokens;
  encoded.unknown_tokens = tokens - known;
  return encoded;
}

}  // namespace semblance
