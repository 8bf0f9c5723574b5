// Where a training's batches come from. The trainer knows this concept alone, so that a corpus larger than
// memory or a process's share of one is trained as a dataset in memory is.
#pragma once

#include <concepts>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "data/random.h"
#include "data/sampler.h"

namespace semblance {

/// Epochs of batches. `batch` of an epoch is asked for ascending i, each once, from one thread; it depends on
/// the source, the epoch and i alone, and a training that goes on asks for the first that it lacks, so a
/// source that reads a stream finds its place then. Every epoch has as many batches and examples as every
/// other.
template <class S>
concept BatchSource = requires(const S& source, int64_t epoch, int64_t i) {
  typename S::Batch;
  { source.batches() } -> std::same_as<int64_t>;
  /// Examples in an epoch, and in its batch i.
  { source.examples() } -> std::same_as<int64_t>;
  { source.examples(i) } -> std::same_as<int64_t>;
  { source.epoch(epoch).batch(i) } -> std::same_as<typename S::Batch>;
};

/// What a source's examples are, for people: its `kUnit`, if it says.
template <class S>
constexpr std::string_view unit_of() {
  if constexpr (requires { S::kUnit; })
    return S::kUnit;
  else
    return "examples";
}

/// Rows that can be batched: `batch(rows, key)` draws whatever is random from `key` alone. Datasets do not
/// change once made, so any number of threads may call it at once.
template <class D>
concept Dataset = requires(const D& data, std::span<const int64_t> rows, uint64_t key) {
  { data.size() } -> std::convertible_to<int64_t>;
  data.batch(rows, key);
};

template <Dataset D>
using BatchOf = decltype(std::declval<const D&>().batch(std::span<const int64_t>(), uint64_t{}));

/// A dataset's rows in the order of a sampler, cut into batches.
template <Dataset Data>
class SampledBatches {
 public:
  using Batch = BatchOf<Data>;

  /// `data` and `sampler` are to outlive it.
  SampledBatches(const Data& data, const Sampler& sampler, int64_t batch_size, uint64_t seed)
      : data_(data), sampler_(sampler), batch_size_(batch_size), seed_(seed) {}

  int64_t examples() const { return sampler_.size(); }
  int64_t batches() const { return (examples() + batch_size_ - 1) / batch_size_; }
  int64_t examples(int64_t i) const { return std::min(batch_size_, examples() - i * batch_size_); }

  class Epoch {
   public:
    Epoch(const SampledBatches& source, int64_t epoch)
        : source_(&source),
          order_(source.sampler_.order(epoch)),
          key_(mix(source.seed_, static_cast<uint64_t>(epoch))) {}
    Batch batch(int64_t i) const {
      std::vector<int64_t> rows(static_cast<size_t>(source_->examples(i)));
      for (size_t at = 0; at < rows.size(); ++at)
        rows[at] = order_[i * source_->batch_size_ + static_cast<int64_t>(at)];
      return source_->data_.batch(rows, mix(key_, static_cast<uint64_t>(i)));
    }

   private:
    const SampledBatches* source_;
    RowOrder order_;
    uint64_t key_;
  };
  Epoch epoch(int64_t epoch) const { return {*this, epoch}; }

 private:
  const Data& data_;
  const Sampler& sampler_;
  int64_t batch_size_;
  uint64_t seed_;
};

}  // namespace semblance
