#include "data/alias_table.h"

#include <numeric>

namespace semblance {

AliasTable::AliasTable(std::span<const double> weights) : cells_(weights.size()) {
  const double mean =
      std::accumulate(weights.begin(), weights.end(), 0.0) / static_cast<double>(weights.size());
  std::vector<size_t> small, large;
  for (size_t i = 0; i < weights.size(); ++i) {
    cells_[i] = {weights[i] / mean, static_cast<int64_t>(i)};
    (cells_[i].threshold < 1 ? small : large).push_back(i);
  }
  while (!small.empty() && !large.empty()) {
    const size_t poor = small.back(), rich = large.back();
    small.pop_back();
    cells_[poor].alias = static_cast<int64_t>(rich);
    cells_[rich].threshold -= 1 - cells_[poor].threshold;
    if (cells_[rich].threshold < 1) {
      large.pop_back();
      small.push_back(rich);
    }
  }
  for (const size_t i : small) cells_[i].threshold = 1;  // left over by rounding
  for (const size_t i : large) cells_[i].threshold = 1;
}

}  // namespace semblance
