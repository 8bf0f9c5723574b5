// A model's words, or n-grams, as points of a plane.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "data/config.h"
#include "training/serving/served_model.h"

namespace semblance {

struct PlaneMap {
  std::vector<std::array<double, 2>> points;  ///< one a vector; of the widest direction first
  std::array<double, 2> explained{};          ///< the share of the vectors' variance along either
};

/// The first two principal components of `vectors`, [count, dim] one after another. Each points to where the
/// vector is that lies farthest out. All zeros along a direction in which nothing varies. Takes time with the
/// cube of `count`.
PlaneMap principal_plane(std::span<const float> vectors, int64_t dim);

/// `strongest`: of each class its label and words, as report_content has them, or null. An object: of (what
/// they are), explained, most_shapes (more classes are not told apart by shape), and points, each a list of
/// name, x and y from -1 to 1, and the class that the word speaks for or null. Null where there is no plane.
Json word_map(const ServedModel& model, const Json& strongest);

}  // namespace semblance
