// Numbers drawn in proportion to weights.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "data/random.h"

namespace semblance {

/// Alias method: M. Vose, "A linear algorithm for generating random numbers with a given distribution", 1991.
/// Never changes once made.
class AliasTable {
 public:
  /// `weights`: finite, not negative, not all zero.
  explicit AliasTable(std::span<const double> weights);

  int64_t size() const { return static_cast<int64_t>(cells_.size()); }
  /// A number below size().
  int64_t draw(RandomStream& random) const {
    const auto number = random.below(cells_.size());
    const Cell& cell = cells_[number];
    return random.uniform() < cell.threshold ? static_cast<int64_t>(number) : cell.alias;
  }

 private:
  struct Cell {
    double threshold;  // below it the cell yields its own number, else its alias
    int64_t alias;
  };
  std::vector<Cell> cells_;
};

}  // namespace semblance
