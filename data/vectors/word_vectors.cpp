#include "data/vectors/word_vectors.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "data/error.h"
#include "data/vectors/mapped_vectors.h"

namespace semblance {

float vector_norm(std::span<const float> vector) {
  double sum = 0;
  for (const float x : vector) sum += static_cast<double>(x) * static_cast<double>(x);
  return static_cast<float>(std::sqrt(sum));
}

WordVectors WordVectors::load(const std::string& path, const VectorFileOptions& options,
                              const Notice& notice) {
  WordVectors vectors;
  vectors.source_ = path;
  if (is_mapped_vector_file(path)) {
    auto file = std::make_shared<const MappedVectors>(path);
    vectors.size_ = file->words().size();
    if (options.limit > 0) vectors.size_ = std::min(vectors.size_, options.limit);
    vectors.dim_ = file->dim();
    vectors.words_ = file->words();
    vectors.values_ = file->values().first(static_cast<size_t>(vectors.size_ * vectors.dim_));
    vectors.norms_ = file->norms().first(static_cast<size_t>(vectors.size_));
    vectors.format_ = "mapped";
    vectors.encoder_ = file->encoder();
    vectors.memory_ = std::move(file);
    return vectors;
  }
  struct Memory {
    WordTable words;
    std::vector<float> values, norms;
  };
  auto memory = std::make_shared<Memory>();
  VectorReader reader(path, options);
  memory->values.reserve(static_cast<size_t>(reader.expected_rows() * reader.dim()));
  while (reader.next()) {
    const auto vector = reader.vector();
    memory->values.insert(memory->values.end(), vector.begin(), vector.end());
    memory->norms.push_back(vector_norm(vector));
  }
  const auto& report = reader.report();
  report.tell(path, notice);
  if (report.rows == 0) throw Error(ErrorKind::Data, "{}: expected word vectors, found none", path);
  memory->words = reader.take_words();
  vectors.size_ = report.rows;
  vectors.dim_ = report.dim;
  vectors.words_ = memory->words.index();
  vectors.values_ = memory->values;
  vectors.norms_ = memory->norms;
  vectors.format_ = report.layout;
  vectors.memory_ = std::move(memory);
  return vectors;
}

}  // namespace semblance
