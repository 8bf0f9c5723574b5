// Words and their vectors, in memory or mapped from a file.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/vectors/mapped_vectors.h"
#include "data/vectors/vector_file.h"

namespace semblance {

/// Once loaded it never changes, so any number of threads may use it at once.
class WordVectors {
 public:
  /// None.
  WordVectors() = default;
  /// Reads `path` in any format of row 3.1; a mapped file (mapped_vectors.h) is opened without reading its
  /// matrix, and `limit` shows its first vectors alone. What was met on the way goes to `notice`, a line
  /// each. Throws Error(Data), for a mapped file Error(Model).
  static WordVectors load(const std::string& path, const VectorFileOptions& options, const Notice& notice);

  /// Words in the order of `words`; `values`: [words, dim]. `source` stands for a path in messages.
  static WordVectors of(WordTable words, std::vector<float> values, std::string source);

  /// The first of them, at most `count`; over the same memory.
  WordVectors first(int64_t count) const;

  int64_t size() const { return size_; }
  int64_t dim() const { return dim_; }
  std::string_view word(int64_t id) const { return words_[static_cast<int32_t>(id)]; }
  /// The id of `word`, or -1.
  int64_t find(std::string_view word) const {
    const auto id = words_.find(word);
    return id < size_ ? id : -1;
  }
  /// Of a mapped file it is verified when it is first read; throws Error(Model).
  std::span<const float> vector(int64_t id) const {
    verify(id, 1);
    return values_.subspan(static_cast<size_t>(id * dim_), static_cast<size_t>(dim_));
  }
  /// All vectors, [size, dim] row by row; verified as `vector` does.
  std::span<const float> values() const {
    verify(0, size_);
    return values_;
  }
  /// As `values`, but only what `vector` or `verify` was called for is to be read.
  const float* unverified() const { return values_.data(); }
  /// Holds `count` vectors of a mapped file against their checksums. Throws Error(Model).
  void verify(int64_t id, int64_t count) const {
    if (mapped_) mapped_->verify(static_cast<size_t>(id * dim_), static_cast<size_t>(count * dim_));
  }
  /// Copies `count` vectors from `id` on, verified as `vector` does; those of a mapped file do not stay in
  /// memory.
  void read(int64_t id, int64_t count, float* out) const;
  /// Their lengths, [size].
  std::span<const float> norms() const { return norms_; }
  /// The path that it was loaded from.
  const std::string& source() const { return source_; }
  const std::string& format() const { return format_; }
  /// The identity of the checkpoint that made the vectors of a mapped file; 0: not told.
  uint64_t encoder() const { return encoder_; }

 private:
  int64_t size_ = 0, dim_ = 0;
  uint64_t encoder_ = 0;
  WordIndex words_;
  std::span<const float> values_, norms_;
  std::string source_, format_;
  std::shared_ptr<const void> memory_;           // what the spans point into, or
  std::shared_ptr<const MappedVectors> mapped_;  // the file
};

/// The length of a vector, summed in double.
float vector_norm(std::span<const float> vector);

}  // namespace semblance
