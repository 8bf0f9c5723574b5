#include "training/tasks/sentiment/class_sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "data/tensors.h"

namespace semblance {
namespace {

std::vector<double> damped(std::span<const int64_t> counts) {
  std::vector<double> weights;
  for (const int64_t count : counts)
    weights.push_back(std::pow(static_cast<double>(std::max<int64_t>(count, 1)), 0.75));
  return weights;
}

std::vector<int64_t> ascending(std::vector<int64_t> classes) {
  std::ranges::sort(classes);
  classes.erase(std::ranges::unique(classes).begin(), classes.end());
  return classes;
}

}  // namespace

ClassSampler::ClassSampler(std::span<const int64_t> counts, int64_t draws)
    : draws_(draws), table_(damped(counts)) {
  const auto weights = damped(counts);
  const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  for (const double weight : weights)  // 1 − (1 − share)^draws
    log_chance_.push_back(
        static_cast<float>(std::log(-std::expm1(static_cast<double>(draws) * std::log1p(-weight / total)))));
}

DrawnClasses ClassSampler::draw(const at::Tensor& targets, uint64_t key) const {
  RandomStream random(key);
  std::vector<int64_t> drawn(static_cast<size_t>(draws_));
  for (auto& one : drawn) one = table_.draw(random);
  drawn = ascending(std::move(drawn));
  const std::span own(targets.const_data_ptr<int64_t>(), static_cast<size_t>(targets.numel()));
  auto all = drawn;
  all.insert(all.end(), own.begin(), own.end());
  all = ascending(std::move(all));

  const auto candidates = static_cast<int64_t>(all.size());
  DrawnClasses batch{.classes = empty_tensor({candidates}, at::kLong),
                     .places = empty_tensor({targets.numel()}, at::kLong),
                     .log_chance = empty_tensor({candidates})};
  std::ranges::copy(all, batch.classes.mutable_data_ptr<int64_t>());
  auto next = drawn.begin();
  for (int64_t i = 0; i < candidates; ++i) {
    const int64_t one = all[static_cast<size_t>(i)];
    const bool is_drawn = next != drawn.end() && *next == one;
    batch.log_chance.mutable_data_ptr<float>()[i] =
        is_drawn ? log_chance_[static_cast<size_t>(one)] : std::numeric_limits<float>::infinity();
    next += is_drawn;
  }
  for (size_t i = 0; i < own.size(); ++i)
    batch.places.mutable_data_ptr<int64_t>()[i] = std::ranges::lower_bound(all, own[i]) - all.begin();
  return batch;
}

}  // namespace semblance
