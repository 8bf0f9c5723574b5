// Word vectors from one file to another, a vector at a time: memory holds the words alone.
#pragma once

#include <array>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "data/vectors/word_vectors.h"

namespace semblance {

enum class VectorFormat { Mapped, Word2vec, Word2vecBinary };

template <>
struct EnumNames<VectorFormat> {
  static constexpr std::array names{std::pair{VectorFormat::Mapped, "mapped"},
                                    std::pair{VectorFormat::Word2vec, "word2vec"},
                                    std::pair{VectorFormat::Word2vecBinary, "word2vec-bin"}};
};

/// Writes any of the formats in one step: before `finish` there is at `path` what was, or nothing. Where no
/// file is named it is as AtomicFile says. Throws Error where it cannot be written. To be used by one thread
/// at a time.
class VectorWriter {
 public:
  /// Opens `path`. `expected_rows`: at most so many vectors will come; 0: not known. `encoder` is kept in a
  /// mapped file.
  static std::unique_ptr<VectorWriter> create(const std::string& path, VectorFormat format, int64_t dim,
                                              int64_t expected_rows, uint64_t encoder = 0);
  virtual ~VectorWriter() = default;

  /// Words are well-formed UTF-8, each given once; vector: [dim]. Throws Error(Data) for a word that the
  /// format cannot tell from an earlier one, or cannot hold.
  virtual void add(std::string_view word, std::span<const float> vector) = 0;
  virtual void finish() = 0;
  /// Words with blanks or control characters, which word2vec's formats cannot hold: written with _ in their
  /// place.
  int64_t words_with_blanks() const { return words_with_blanks_; }

 protected:
  int64_t words_with_blanks_ = 0;
};

/// Writes all of `vectors` to `to`.
void write_vectors(const WordVectors& vectors, const std::string& to, VectorFormat format,
                   const Notice& notice);

/// Reads `from` (in any format that WordVectors::load reads) and writes `to`. Returns the number of vectors.
int64_t convert_vectors(const std::string& from, const VectorFileOptions& options, const std::string& to,
                        VectorFormat format, const Notice& notice);

}  // namespace semblance
