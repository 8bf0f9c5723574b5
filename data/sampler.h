// The order in which an epoch visits the rows of a dataset. A sampler is pure: `order` depends on its seed
// and on the epoch alone, so a position within the epoch is all the state there is, and any number of
// threads may ask it at once.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "data/alias_table.h"
#include "data/fields.h"
#include "data/row_order.h"

namespace semblance {

enum class SamplerKind { Shuffled, Weighted, Sequential };

template <>
struct EnumNames<SamplerKind> {
  static constexpr std::array names{std::pair{SamplerKind::Shuffled, "shuffled"},
                                    std::pair{SamplerKind::Weighted, "weighted"},
                                    std::pair{SamplerKind::Sequential, "sequential"}};
};

class Sampler {
 public:
  virtual ~Sampler() = default;
  /// Number of rows in an epoch.
  virtual int64_t size() const = 0;
  /// The rows of an epoch (0, 1, …) in the order to visit them.
  virtual RowOrder order(int64_t epoch) const = 0;
};

class SequentialSampler : public Sampler {
 public:
  explicit SequentialSampler(int64_t size) : size_(size) {}
  int64_t size() const override { return size_; }
  RowOrder order(int64_t epoch) const override;

 private:
  int64_t size_;
};

/// Every row once, in random order. That of many rows is a KeyedPermutation, so that it takes no memory.
class ShuffledSampler : public Sampler {
 public:
  static constexpr int64_t kMostListed = int64_t{1} << 24;

  ShuffledSampler(int64_t size, uint64_t seed, int64_t most_listed = kMostListed)
      : size_(size), most_listed_(most_listed), seed_(seed) {}
  int64_t size() const override { return size_; }
  RowOrder order(int64_t epoch) const override;

 private:
  int64_t size_, most_listed_;
  uint64_t seed_;
};

/// As many draws with replacement as there are rows, each row in proportion to its weight.
class WeightedSampler : public Sampler {
 public:
  /// `weights`: finite, not negative, not all zero.
  WeightedSampler(const std::vector<double>& weights, uint64_t seed) : table_(weights), seed_(seed) {}
  int64_t size() const override { return table_.size(); }
  RowOrder order(int64_t epoch) const override;

 private:
  AliasTable table_;
  uint64_t seed_;
};

/// Every row once, in random order, but so that no batch has two rows of one group, as far as that can be:
/// what is left at the end of an epoch, rows of few groups, comes last as it is.
class NoDuplicatesSampler : public Sampler {
 public:
  /// `groups`: the group of each row, from 0.
  NoDuplicatesSampler(Bulk<int32_t> groups, int64_t batch_size, uint64_t seed);
  int64_t size() const override { return static_cast<int64_t>(groups_.size()); }
  RowOrder order(int64_t epoch) const override;

 private:
  Bulk<int32_t> groups_;
  int64_t batch_size_, group_count_;
  uint64_t seed_;
};

/// Row 2.6: weight of a row = largest class count / its class's count, at most `max_weight` (0: no cap).
/// `classes`: the class of each row, from 0.
std::vector<double> balancing_weights(const std::vector<int64_t>& classes, double max_weight);

}  // namespace semblance
