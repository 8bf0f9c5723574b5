#include "data/split.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "data/error.h"
#include "data/random.h"

namespace semblance {

Split split_rows(std::span<const int64_t> groups, std::array<double, 3> shares, uint64_t seed,
                 std::span<const int32_t> classes) {
  const auto n = static_cast<int64_t>(groups.size());
  Bulk<int64_t> sizes(groups.size());
  for (const int64_t group : groups) ++sizes[static_cast<size_t>(group)];
  Bulk<int64_t> order;  // a group is named by its first row
  for (int64_t row = 0; row < n; ++row)
    if (sizes[static_cast<size_t>(row)] > 0) order.push_back(row);
  RandomStream random(mix(seed, 0x5911));
  for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);

  const auto class_of = [&](int64_t row) {
    return classes.empty() ? size_t{0} : static_cast<size_t>(classes[static_cast<size_t>(row)]);
  };
  struct Stratum {
    int64_t rows = 0;
    std::array<int64_t, 3> filled{};
  };
  std::vector<Stratum> strata(classes.empty() ? 1 : static_cast<size_t>(std::ranges::max(classes)) + 1);
  for (const int64_t group : order) strata[class_of(group)].rows += sizes[static_cast<size_t>(group)];
  Bulk<uint8_t> part(groups.size());
  for (const int64_t group : order) {
    auto& stratum = strata[class_of(group)];
    size_t neediest = 0;
    double most = -1e300;
    for (size_t p = 0; p < 3; ++p) {
      const double lacking =
          shares[p] * static_cast<double>(stratum.rows) - static_cast<double>(stratum.filled[p]);
      if (shares[p] > 0 && lacking > most) {
        most = lacking;
        neediest = p;
      }
    }
    part[static_cast<size_t>(group)] = static_cast<uint8_t>(neediest);
    stratum.filled[neediest] += sizes[static_cast<size_t>(group)];
  }
  Split split;
  for (int64_t row = 0; row < n; ++row) {
    const int p = part[static_cast<size_t>(groups[static_cast<size_t>(row)])];
    (p == 0 ? split.train : p == 1 ? split.valid : split.test).push_back(row);
  }
  return split;
}

std::array<double, 3> split_shares(const std::vector<double>& split, bool has_valid_file,
                                   bool has_test_file) {
  if (split.size() != 3 || std::abs(split[0] + split[1] + split[2] - 1) > 1e-6 || split[0] <= 0)
    throw Error(ErrorKind::Usage,
                "--split: expected three shares that sum to 1, the first above 0, such as 0.8,0.1,0.1");
  std::array<double, 3> shares = {split[0], split[1], split[2]};
  if (has_valid_file) shares[0] += std::exchange(shares[1], 0);
  if (has_test_file) shares[0] += std::exchange(shares[2], 0);
  return shares;
}

}  // namespace semblance
