#include "data/corpus/token_batches.h"

#include "data/random.h"

namespace semblance {

TokenBatches::Epoch::Epoch(const TokenBatches& source, int64_t epoch)
    : source_(&source), key_(mix(source.seed_, static_cast<uint64_t>(epoch))) {}

TokenBatch TokenBatches::Epoch::batch(int64_t i) {
  if (!reader_) reader_ = std::make_unique<Corpus::Reader>(source_->corpus_, i * source_->batch_size_);
  return {reader_->next(source_->batch_size_), mix(key_, static_cast<uint64_t>(i))};
}

}  // namespace semblance
