#include "training/report/word_map.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <string_view>

#include "data/tensors.h"

namespace semblance {
namespace {

constexpr size_t kMostPoints = 400, kMostShapes = 12;

}  // namespace

PlaneMap principal_plane(std::span<const float> vectors, int64_t dim) {
  const auto count = static_cast<int64_t>(vectors.size()) / dim;
  PlaneMap map{.points = std::vector<std::array<double, 2>>(static_cast<size_t>(count))};
  if (count < 2) return map;
  const auto given = tensor_over(vectors, {count, dim}).to(at::kDouble);
  const auto centred = given.sub(given.mean(0, /*keepdim=*/true));
  // Of the points' products rather than of the dimensions': there are few points, and any number of these.
  const auto [values, columns] = eigenvectors(centred.mm(centred.t()));
  const auto rows = columns.t().contiguous();
  const double total = values.clamp_min(0).sum().item<double>();
  for (size_t axis = 0; axis < std::min<size_t>(2, static_cast<size_t>(count)); ++axis) {
    const int64_t at = count - 1 - static_cast<int64_t>(axis);
    const double variance = values.const_data_ptr<double>()[at];
    if (!(variance > total * 1e-12)) continue;
    map.explained[axis] = variance / total;
    const std::span direction(rows.const_data_ptr<double>() + at * count, static_cast<size_t>(count));
    const double farthest =
        *std::ranges::max_element(direction, {}, [](double value) { return std::abs(value); });
    const double scale = std::copysign(std::sqrt(variance), farthest);
    for (size_t i = 0; i < direction.size(); ++i) map.points[i][axis] = direction[i] * scale;
  }
  return map;
}

namespace {

// Points by name, each with its vector.
struct Named {
  std::vector<std::string> names;
  std::vector<float> vectors;
  int64_t dim = 0;

  void add(std::string name, std::span<const float> vector) {
    names.push_back(std::move(name));
    vectors.insert(vectors.end(), vector.begin(), vector.end());
  }
};

Json map_of(const Named& named, std::string_view what, const std::map<std::string, std::string>& classes) {
  const auto plane = principal_plane(named.vectors, named.dim);
  const double widest = [&] {
    double most = 0;
    for (const auto& point : plane.points) most = std::max({most, std::abs(point[0]), std::abs(point[1])});
    return most;
  }();
  if (widest == 0) return nullptr;
  const auto rounded = [](double value) { return std::round(value * 1e4) / 1e4; };
  Json points = Json::array();
  for (size_t i = 0; i < named.names.size(); ++i) {
    const auto found = classes.find(named.names[i]);
    points.push_back({named.names[i], rounded(plane.points[i][0] / widest),
                      rounded(plane.points[i][1] / widest),
                      found == classes.end() ? Json() : Json(found->second)});
  }
  return {{"of", what},
          {"most_shapes", kMostShapes},
          {"explained", {rounded(plane.explained[0]), rounded(plane.explained[1])}},
          {"points", std::move(points)}};
}

}  // namespace

// The most frequent words, and before them those that tell most of a class; of a table of n-grams those that
// it met first.
Json word_map(const ServedModel& model, const Json& strongest) {
  Named named;
  if (const auto* ngrams = dynamic_cast<const NgramTable*>(&model)) {
    named.dim = ngrams->dim();
    for (int32_t row = 0; row < std::min(ngrams->size(), static_cast<int32_t>(kMostPoints)); ++row)
      named.add(ngrams->fasttext_name(row), ngrams->row(row));
    return map_of(named, "character n-grams", {});
  }
  const auto* table = dynamic_cast<const WordTableModel*>(&model);
  if (!table) return nullptr;
  const auto words = table->word_vectors();
  named.dim = words.dim();
  if (words.dim() < 2) return nullptr;
  std::map<std::string, std::string> classes;
  size_t most_words = 0;
  for (const auto& one : strongest) most_words = std::max(most_words, one["words"].size());
  for (size_t place = 0; place < most_words; ++place)
    for (const auto& one : strongest) {
      if (place >= one["words"].size() || named.names.size() >= kMostPoints) continue;
      const auto word = one["words"][place][0].get<std::string>();
      if (const auto id = words.find(word);
          id >= 0 && classes.emplace(word, one["label"].get<std::string>()).second)
        named.add(word, words.vector(id));
    }
  for (int64_t id = 0; id < words.size() && named.names.size() < kMostPoints; ++id)
    if (!classes.contains(std::string(words.word(id))))
      named.add(std::string(words.word(id)), words.vector(id));
  return map_of(named, "words", classes);
}

}  // namespace semblance
