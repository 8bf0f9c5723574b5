// Random division of rows into training, validation and test parts (row 1.5).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace semblance {

struct Split {
  std::vector<int64_t> train, valid, test;  ///< row numbers, ascending
};

/// Divides the rows in the given shares (which sum to 1). Rows of one group stay together; a group goes to
/// the part that lacks most rows of its share. Depends on the seed alone.
Split split_rows(std::span<const int64_t> groups, std::array<double, 3> shares, uint64_t seed);

}  // namespace semblance
