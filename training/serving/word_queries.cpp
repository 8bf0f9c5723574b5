#include "training/serving/word_queries.h"

#include <algorithm>

#include "data/error.h"
#include "data/tensors.h"

namespace semblance {
namespace {

// sum += weight · vector / |vector|
void add_unit(std::span<const float> vector, float norm, float weight, std::span<float> sum) {
  if (norm == 0) return;
  for (size_t i = 0; i < sum.size(); ++i) sum[i] += weight * (vector[i] / norm);
}

// models/nearest.h over the memory of `vectors`.
std::vector<std::vector<Neighbor>> nearest_of(const WordVectors& vectors, const at::Tensor& queries,
                                              int64_t top,
                                              std::span<const std::vector<int64_t>> excluded = {}) {
  return nearest(tensor_over(vectors.values(), {vectors.size(), vectors.dim()}),
                 tensor_over(vectors.norms(), {vectors.size()}), queries, top, excluded);
}

}  // namespace

WordQueries::WordQueries(const WordVectors& vectors) : vectors_(vectors) {}

int64_t WordQueries::id(std::string_view word) const {
  const int64_t found = vectors_.find(word);
  if (found < 0) throw Error(ErrorKind::Data, "'{}' is not in {}", word, vectors_.source());
  return found;
}

double WordQueries::similarity(std::string_view a, std::string_view b) const {
  return cosine(vectors_.vector(id(a)), vectors_.vector(id(b)));
}

std::vector<std::vector<Neighbor>> WordQueries::most_similar(std::span<const WordQuery> queries, int64_t top,
                                                             int64_t restrict_vocabulary) const {
  const int64_t dim = vectors_.dim();
  const int64_t n =
      restrict_vocabulary > 0 ? std::min(restrict_vocabulary, vectors_.size()) : vectors_.size();
  const auto sums = zero_tensor({static_cast<int64_t>(queries.size()), dim});
  std::vector<std::vector<int64_t>> excluded;
  for (size_t q = 0; q < queries.size(); ++q) {
    const std::span sum(sums.mutable_data_ptr<float>() + static_cast<int64_t>(q) * dim,
                        static_cast<size_t>(dim));
    auto& without = excluded.emplace_back();
    const auto add = [&](int64_t word, float weight) {
      add_unit(vectors_.vector(word), vectors_.norms()[static_cast<size_t>(word)], weight, sum);
      without.push_back(word);
    };
    for (const int64_t word : queries[q].positive) add(word, 1);
    for (const int64_t word : queries[q].negative) add(word, -1);
  }
  return nearest_of(vectors_.first(n), sums, top, excluded);
}

std::vector<std::vector<Neighbor>> WordQueries::nearest_to(std::span<const float> vectors,
                                                           int64_t top) const {
  const auto size = static_cast<int64_t>(vectors.size());
  return nearest_of(vectors_, tensor_over(vectors, {size / vectors_.dim(), vectors_.dim()}), top);
}

std::string WordQueries::odd_one_out(std::span<const std::string> words) const {
  std::vector<float> mean(static_cast<size_t>(vectors_.dim()));
  std::vector<std::pair<std::string, int64_t>> known;
  for (const auto& word : words)
    if (const int64_t found = vectors_.find(word); found >= 0) {
      known.emplace_back(word, found);
      add_unit(vectors_.vector(found), vectors_.norms()[static_cast<size_t>(found)], 1, mean);
    }
  if (known.empty()) throw Error(ErrorKind::Data, "none of the words is in {}", vectors_.source());
  std::ranges::sort(known);
  return std::ranges::min_element(
             known, {}, [&](const auto& entry) { return cosine(vectors_.vector(entry.second), mean); })
      ->first;
}

std::string WordQueries::closest(std::string_view word, std::span<const std::string> words) const {
  const auto vector = vectors_.vector(id(word));
  return *std::ranges::max_element(
      words, {}, [&](const auto& other) { return cosine(vector, vectors_.vector(id(other))); });
}

}  // namespace semblance
