#include "training/serving/text_encoder.h"

#include <algorithm>
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
    std::vector<float> weights;  // of these ids
    Ragged<float> made;          // of each text: the vectors of its unknown words, one after another
    int64_t shard_tokens = 0;
    for (int64_t i = begin; i < end; ++i) {
      pipeline_.tokenize(texts[i], buffer);
      // In one order: the rounding of a sum must not tell texts apart that have the same words.
      std::ranges::sort(buffer.tokens);
      for (const auto token : buffer.tokens)
        if (const int64_t id = vectors_.find(token); id >= 0) {
          vectors_.verify(id, 1);
          ids.values.push_back(id);
          if (weights_) weights.push_back(weights_->of(token));
        } else if (oov_) {
          const size_t size = made.values.size();
          made.values.resize(size + static_cast<size_t>(dim));
          const auto vector = std::span(made.values).subspan(size);
          if (!oov_->encode(token, vector))
            made.values.resize(size);
          else if (weights_)
            for (float& value : vector) value *= weights_->of(token);
        }
      ids.close_row();
      made.close_row();
      shard_tokens += static_cast<int64_t>(buffer.tokens.size());
    }
    const float* table = vectors_.unverified();
    float* sums = out + begin * dim;
    const bool plain = !oov_ && !weights_;
    if (weights_)
      kernels::pool_weighted_bags(table, ids.values.data(), weights.data(), ids.offsets.data(), 0, ids.size(),
                                  dim, sums);
    else
      kernels::pool_bags(table, ids.values.data(), ids.offsets.data(), 0, ids.size(), dim, /*mean=*/plain,
                         sums);
    for (int64_t i = 0; i < ids.size(); ++i) {
      const auto vectors = made[i];
      const int64_t words = ids.length(i) + static_cast<int64_t>(vectors.size()) / dim;
      encoded.known[static_cast<size_t>(begin + i)] = words > 0;
      if (plain) continue;
      float* sum = sums + i * dim;
      for (size_t j = 0; j < vectors.size(); ++j) sum[j % static_cast<size_t>(dim)] += vectors[j];
      for (int64_t d = 0; words > 0 && d < dim; ++d) sum[d] /= static_cast<float>(words);
    }
    tokens += shard_tokens;
    known += static_cast<int64_t>(ids.values.size() + made.values.size() / static_cast<size_t>(dim));
  });
  encoded.tokens = tokens;
  encoded.unknown_tokens = tokens - known;
  return encoded;
}

CommonComponentRemover::CommonComponentRemover(TextEncoder& encoder)
    : encoder_(encoder), moments_(zero_tensor({encoder.dim(), encoder.dim()}, at::kDouble)) {}

void CommonComponentRemover::fit(const Texts& texts) {
  const auto vectors = encoder_.encode(texts).vectors.to(at::kDouble);
  moments_ += vectors.t().mm(vectors);
  component_ = at::Tensor();
}

EncodedTexts CommonComponentRemover::encode(const Texts& texts) {
  if (!component_.defined()) component_ = first_eigenvector(moments_).to(at::kFloat);
  auto encoded = encoder_.encode(texts);
  encoded.vectors -= encoded.vectors.mv(component_).outer(component_);
  return encoded;
}

}  // namespace semblance
