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
    vectors.dim_ = file->dim();
    vectors.words_ = file->words();
    vectors.values_ = file->values();
    vectors.norms_ = file->norms();
    vectors.format_ = "mapped";
    vectors.encoder_ = file->encoder();
    vectors.mapped_ = std::move(file);
    return options.limit > 0 ? vectors.first(options.limit) : vectors;
  }
  VectorReader reader(path, options);
  std::vector<float> values;
  values.reserve(static_cast<size_t>(reader.expected_rows() * reader.dim()));
  while (reader.next()) {
    const auto vector = reader.vector();
    values.insert(values.end(), vector.begin(), vector.end());
  }
  const auto& report = reader.report();
  report.tell(path, notice);
  if (report.rows == 0) throw Error(ErrorKind::Data, "{}: expected word vectors, found none", path);
  vectors = of(reader.take_words(), std::move(values), path);
  vectors.format_ = report.layout;
  return vectors;
}

WordVectors WordVectors::of(WordTable words, std::vector<float> values, std::string source) {
  struct Memory {
    WordTable words;
    std::vector<float> values, norms;
  };
  const auto memory = std::make_shared<Memory>(Memory{std::move(words), std::move(values), {}});
  WordVectors vectors;
  vectors.size_ = memory->words.size();
  vectors.dim_ = vectors.size_ > 0 ? static_cast<int64_t>(memory->values.size()) / vectors.size_ : 0;
  vectors.words_ = memory->words.index();
  vectors.values_ = memory->values;
  for (int64_t id = 0; id < vectors.size_; ++id) memory->norms.push_back(vector_norm(vectors.vector(id)));
  vectors.norms_ = memory->norms;
  vectors.source_ = std::move(source);
  vectors.format_ = "run";
  vectors.memory_ = memory;
  return vectors;
}

WordVectors WordVectors::first(int64_t count) const {
  WordVectors part = *this;
  part.size_ = std::min(size_, count);
  part.values_ = values_.first(static_cast<size_t>(part.size_ * dim_));
  part.norms_ = norms_.first(static_cast<size_t>(part.size_));
  return part;
}

void WordVectors::read(int64_t id, int64_t count, float* out) const {
  const auto first = static_cast<size_t>(id * dim_), size = static_cast<size_t>(count * dim_);
  if (mapped_)
    mapped_->read(first, size, out);
  else
    std::ranges::copy(values_.subspan(first, size), out);
}

}  // namespace semblance
