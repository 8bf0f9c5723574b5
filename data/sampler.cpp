#include "data/sampler.h"

#include <algorithm>
#include <numeric>

#include "data/random.h"

namespace semblance {

RowOrder SequentialSampler::order(int64_t) const {
  return RowOrder::ascending(size_);
}

RowOrder ShuffledSampler::order(int64_t epoch) const {
  const uint64_t key = mix(seed_, static_cast<uint64_t>(epoch));
  if (size_ > most_listed_) return RowOrder(KeyedPermutation(size_, key));
  Bulk<int64_t> rows(static_cast<size_t>(size_));
  std::iota(rows.begin(), rows.end(), 0);
  RandomStream random(key);
  for (size_t i = rows.size(); i > 1; --i) std::swap(rows[i - 1], rows[random.below(i)]);
  return RowOrder(std::move(rows));
}

RowOrder WeightedSampler::order(int64_t epoch) const {
  Bulk<int64_t> rows(static_cast<size_t>(size()));
  RandomStream random(mix(seed_, static_cast<uint64_t>(epoch)));
  for (auto& row : rows) row = table_.draw(random);
  return RowOrder(std::move(rows));
}

NoDuplicatesSampler::NoDuplicatesSampler(Bulk<int32_t> groups, int64_t batch_size, uint64_t seed)
    : groups_(std::move(groups)), batch_size_(batch_size), group_count_(0), seed_(seed) {
  for (const int32_t group : groups_) group_count_ = std::max<int64_t>(group_count_, group + 1);
}

RowOrder NoDuplicatesSampler::order(int64_t epoch) const {
  const auto shuffled = ShuffledSampler(size(), seed_).order(epoch);
  Bulk<int64_t> rows, waiting, still_waiting;
  rows.reserve(static_cast<size_t>(shuffled.size()));
  Bulk<int64_t> last_batch(static_cast<size_t>(group_count_), -1);  // that has a row of the group
  int64_t next = 0;
  for (int64_t batch = 0; static_cast<int64_t>(rows.size()) < size(); ++batch) {
    const auto full = static_cast<size_t>(std::min(size(), (batch + 1) * batch_size_));
    const auto place = [&](int64_t row) {
      auto& last = last_batch[static_cast<size_t>(groups_[static_cast<size_t>(row)])];
      if (rows.size() == full || last == batch) return false;
      last = batch;
      rows.push_back(row);
      return true;
    };
    // Those that waited come first.
    still_waiting.clear();
    for (const int64_t row : waiting)
      if (!place(row)) still_waiting.push_back(row);
    waiting.swap(still_waiting);
    for (; next < shuffled.size() && rows.size() < full; ++next)
      if (!place(shuffled[next])) waiting.push_back(shuffled[next]);
    if (rows.size() < full) {
      rows.insert(rows.end(), waiting.begin(), waiting.end());
      break;
    }
  }
  return RowOrder(std::move(rows));
}

std::vector<double> balancing_weights(const std::vector<int64_t>& classes, double max_weight) {
  std::vector<int64_t> counts(classes.empty() ? 0 : static_cast<size_t>(std::ranges::max(classes)) + 1);
  for (const int64_t c : classes) ++counts[static_cast<size_t>(c)];
  const double largest = counts.empty() ? 0 : static_cast<double>(std::ranges::max(counts));
  std::vector<double> weights;
  weights.reserve(classes.size());
  for (const int64_t c : classes) {
    const double weight = largest / static_cast<double>(counts[static_cast<size_t>(c)]);
    weights.push_back(max_weight > 0 ? std::min(weight, max_weight) : weight);
  }
  return weights;
}

}  // namespace semblance
