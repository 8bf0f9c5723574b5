#include "training/report/word_map.h"

#include <gtest/gtest.h>
#include <torch/types.h>

#include <cmath>

namespace semblance {
namespace {

PlaneMap map_of(const torch::Tensor& vectors) {
  return principal_plane({vectors.data_ptr<float>(), static_cast<size_t>(vectors.numel())}, vectors.size(1));
}

double distance(const std::array<double, 2>& a, const std::array<double, 2>& b) {
  return std::hypot(a[0] - b[0], a[1] - b[1]);
}

TEST(PrincipalPlane, PointsOfAPlaneKeepTheirDistances) {
  torch::manual_seed(1);
  // In a plane of nine dimensions, away from zero.
  const auto flat = torch::randn({40, 2}), plane = torch::randn({2, 9});
  const auto vectors = flat.mm(plane).add(torch::randn({1, 9}));
  const auto map = map_of(vectors);
  for (int64_t i = 0; i < 40; ++i)
    for (int64_t j = 0; j < i; ++j)
      EXPECT_NEAR(distance(map.points[static_cast<size_t>(i)], map.points[static_cast<size_t>(j)]),
                  (vectors[i] - vectors[j]).norm().item<double>(), 1e-4);
  EXPECT_NEAR(map.explained[0] + map.explained[1], 1, 1e-6);
}

TEST(PrincipalPlane, VarianceIsThatOfTheSingularValues) {
  torch::manual_seed(2);
  for (const auto& [count, dim] : {std::pair{30, 7}, std::pair{7, 30}}) {
    const auto vectors = torch::randn({count, dim});
    const auto centred = vectors.to(torch::kDouble) - vectors.to(torch::kDouble).mean(0, true);
    const auto squares = std::get<1>(torch::svd(centred)).square();
    const auto map = map_of(vectors);
    for (size_t axis = 0; axis < 2; ++axis) {
      double sum = 0, square = 0;
      for (const auto& point : map.points) sum += point[axis], square += point[axis] * point[axis];
      EXPECT_NEAR(sum, 0, 1e-9);
      EXPECT_NEAR(square, squares[static_cast<int64_t>(axis)].item<double>(), 1e-6);
      EXPECT_NEAR(map.explained[axis], square / squares.sum().item<double>(), 1e-9);
    }
  }
}

TEST(PrincipalPlane, PointsToTheFarthest) {
  // Along one line: 0, 1 and 5 times the same step, whichever way it goes.
  for (const float way : {1.f, -1.f}) {
    const auto map = map_of(torch::tensor({{0.f, 0.f}, {1.f, 1.f}, {5.f, 5.f}}).mul(way));
    EXPECT_GT(map.points[2][0], map.points[1][0]);
    EXPECT_NEAR(map.explained[0], 1, 1e-9);
    EXPECT_EQ(map.explained[1], 0);
    for (const auto& point : map.points) EXPECT_EQ(point[1], 0);
  }
}

TEST(PrincipalPlane, NothingVaries) {
  for (const int count : {0, 1, 2, 9})
    for (const auto& point : map_of(torch::ones({count, 3})).points)
      EXPECT_EQ(point, (std::array<double, 2>{0, 0}));
}

}  // namespace
}  // namespace semblance
