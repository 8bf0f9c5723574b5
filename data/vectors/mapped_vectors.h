// Word vectors in a file that is mapped and not read: opening takes no time that grows with the matrix.
//
// Little-endian: magic "SEMBVEC1", zeros to byte 4096; matrix, float32 [rows, dim]; norms, float32 [rows];
// offsets, int64 [rows + 1]; hash table, WordSlot [places]; the words' bytes; each part begins at a multiple
// of 64. The last 128 bytes are a MappedFooter. The checksum of offsets, hash table, words and norms is
// verified when the file is opened, that of the matrix by `verify` alone.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/io/atomic_file.h"
#include "data/text/word_table.h"

namespace semblance {

struct MappedFooter {
  uint64_t version = 1;
  uint64_t rows = 0, dim = 0;
  uint64_t norms_at = 0, offsets_at = 0, slots_at = 0, words_at = 0;  ///< bytes from the file's start
  uint64_t places = 0, word_bytes = 0, file_bytes = 0;
  uint64_t matrix_xxh3 = 0;
  uint64_t index_xxh3 = 0;  ///< of the bytes between the matrix and the footer
  uint64_t encoder = 0;     ///< the identity of the checkpoint that made the vectors; 0: not told
  uint64_t unused = 0;
  uint64_t footer_xxh3 = 0;  ///< of the fields before
  char magic[8] = {'S', 'E', 'M', 'B', 'V', 'E', 'C', '1'};
};
static_assert(sizeof(MappedFooter) == 128);

/// Never changes once opened, so any number of threads may use it at once.
class MappedVectors {
 public:
  /// Throws Error(Model) for a file that is damaged, truncated or of a later version.
  explicit MappedVectors(const std::string& path);
  ~MappedVectors();
  MappedVectors(const MappedVectors&) = delete;
  MappedVectors& operator=(const MappedVectors&) = delete;

  int64_t dim() const { return static_cast<int64_t>(footer_.dim); }
  const WordIndex& words() const { return words_; }
  std::span<const float> values() const { return values_; }
  std::span<const float> norms() const { return norms_; }
  uint64_t encoder() const { return footer_.encoder; }

  /// Reads the whole matrix and holds it against its checksum. Throws Error(Model).
  void verify() const;

 private:
  std::string path_;
  const char* start_ = nullptr;
  size_t size_ = 0;
  MappedFooter footer_;
  WordIndex words_;
  std::span<const float> values_, norms_;
};

/// Whether a file begins as MappedVectorWriter writes it; false for what cannot be opened.
bool is_mapped_vector_file(const std::string& path);

/// Takes one vector after another, so that no more than the words lies in memory. To be used by
/// one thread at a time.
class MappedVectorWriter {
 public:
  MappedVectorWriter(const std::filesystem::path& path, int64_t dim, uint64_t encoder = 0);
  ~MappedVectorWriter();

  /// [dim]
  void add(std::span<const float> vector);
  /// Ends the file: `words` has a word for each vector.
  void finish(WordTable words);

 private:
  struct Checksum;

  void write(std::string_view bytes, Checksum& checksum);
  void flush();

  AtomicFile file_;
  std::string buffer_;
  MappedFooter footer_;
  uint64_t written_ = 0;
  std::vector<float> norms_;
  std::unique_ptr<Checksum> matrix_, index_;
};

}  // namespace semblance
