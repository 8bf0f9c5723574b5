// How two lists of numbers go together.
#pragma once

#include <span>

namespace semblance {

/// Of lists of the same length. Pearson's correlation of `x` and `y`; NaN where one of them does not vary.
double pearson(std::span<const double> x, std::span<const double> y);
/// Spearman's: Pearson's of the ranks, equal values sharing their mean rank.
double spearman(std::span<const double> x, std::span<const double> y);

}  // namespace semblance
