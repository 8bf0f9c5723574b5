#include "data/split.h"

#include <algorithm>
#include <numeric>

#include "data/random.h"

namespace semblance {

Split split_rows(std::span<const int64_t> groups, std::array<double, 3> shares, uint64_t seed) {
  const auto n = static_cast<int64_t>(groups.size());
  std::vector<int64_t> sizes(groups.size());
  for (const int64_t group : groups) ++sizes[static_cast<size_t>(group)];
  std::vector<int64_t> order;  // a group is named by its first row
  for (int64_t row = 0; row < n; ++row)
    if (sizes[static_cast<size_t>(row)] > 0) order.push_back(row);
  RandomStream random(mix(seed, 0x5911));
  for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);

  std::array<int64_t, 3> filled{};
  std::vector<int> part(groups.size());
  for (const int64_t group : order) {
    size_t neediest = 0;
    double most = -1e300;
    for (size_t p = 0; p < 3; ++p) {
      const double lacking = shares[p] * static_cast<double>(n) - static_cast<double>(filled[p]);
      if (shares[p] > 0 && lacking > most) {
        most = lacking;
        neediest = p;
      }
    }
    part[static_cast<size_t>(group)] = static_cast<int>(neediest);
    filled[neediest] += sizes[static_cast<size_t>(group)];
  }
  Split split;
  for (int64_t row = 0; row < n; ++row) {
    const int p = part[static_cast<size_t>(groups[static_cast<size_t>(row)])];
    (p == 0 ? split.train : p == 1 ? split.valid : split.test).push_back(row);
  }
  return split;
}

}  // namespace semblance
