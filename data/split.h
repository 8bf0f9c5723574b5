// Random division of rows into training, validation and test parts (row 1.5).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "data/bulk.h"

namespace semblance {

struct Split {
  Bulk<int64_t> train, valid, test;  ///< row numbers, ascending
};

/// Divides the rows in the given shares (which sum to 1). Rows of one group stay together; a group goes to
/// the part that lacks most rows of its share. With `classes`, one a row, it lacks them of the class of the
/// group's first row. Depends on the seed alone.
Split split_rows(std::span<const int64_t> groups, std::array<double, 3> shares, uint64_t seed,
                 std::span<const int32_t> classes = {});

/// The shares that `--split` gives to training, validation and test: a part whose file is given leaves its
/// share to training. Throws Error(Usage) unless they are three that sum to 1, the first above 0.
std::array<double, 3> split_shares(const std::vector<double>& split, bool has_valid_file, bool has_test_file);

}  // namespace semblance
