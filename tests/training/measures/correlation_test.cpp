#include "training/measures/correlation.h"

#include <gtest/gtest.h>

#include <cmath>

namespace semblance {
namespace {

TEST(Correlation, OfRanksSharesTheMeanRankAmongEquals) {
  // scipy.stats.spearmanr([1, 2, 2, 4], [10, 30, 20, 40]) and pearsonr of the same.
  const double x[] = {1, 2, 2, 4}, y[] = {10, 30, 20, 40};
  EXPECT_NEAR(spearman(x, y), 0.9486832980505138, 1e-12);
  EXPECT_NEAR(pearson(x, y), 0.9233805168766388, 1e-12);
  const double same[] = {1, 1, 1, 1};
  EXPECT_TRUE(std::isnan(spearman(x, same)));
}

}  // namespace
}  // namespace semblance
