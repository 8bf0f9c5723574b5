// Word vectors in a file that is mapped and not read: opening takes no time that grows with the matrix.
//
// Little-endian: magic "SEMBVEC1", zeros to byte 4096; matrix, float32 [rows, dim]; norms, float32 [rows];
// offsets, int64 [rows + 1]; hash table, WordSlot [places]; the words' bytes; each part begins at a multiple
// of 64, then XXH3 of each MiB of the matrix, uint64 [blocks]. The last 128 bytes are a MappedFooter. The
// checksum of all but the matrix is verified when the file is opened, that of a part of the matrix when it is
// first read. Version 1 has one checksum for the whole matrix.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/io/atomic_file.h"
#include "data/io/mapped_file.h"
#include "data/text/word_table.h"

namespace semblance {

struct MappedFooter {
  uint64_t version = 2;
  uint64_t rows = 0, dim = 0;
  uint64_t norms_at = 0, offsets_at = 0, slots_at = 0, words_at = 0;  ///< bytes from the file's start
  uint64_t places = 0, word_bytes = 0, file_bytes = 0;
  uint64_t matrix_xxh3 = 0;  ///< version 1 alone
  uint64_t index_xxh3 = 0;   ///< of the bytes between the matrix and the footer
  uint64_t encoder = 0;      ///< the identity of the checkpoint that made the vectors; 0: not told
  uint64_t blocks_at = 0;    ///< from version 2 on
  uint64_t footer_xxh3 = 0;  ///< of the fields before
  char magic[8] = {'S', 'E', 'M', 'B', 'V', 'E', 'C', '1'};
};
static_assert(sizeof(MappedFooter) == 128);

/// Never changes once opened, so any number of threads may use it at once.
class MappedVectors {
 public:
  /// Throws Error(Model) for a file that is damaged, truncated or of a later version.
  explicit MappedVectors(const std::string& path);

  int64_t dim() const { return static_cast<int64_t>(footer_.dim); }
  const WordIndex& words() const { return words_; }
  /// Of these only what `verify` was called for is to be read.
  std::span<const float> values() const { return values_; }
  std::span<const float> norms() const { return norms_; }
  uint64_t encoder() const { return footer_.encoder; }

  /// Reads `count` values from `first` on, and holds them against their checksums unless that was done.
  /// Throws Error(Model).
  void verify(size_t first, size_t count) const {
    if (count == 0) return;
    const size_t last = (first + count - 1) / block_values_;
    for (size_t block = first / block_values_; block <= last; ++block)
      if (!verified_[block].load(std::memory_order_relaxed)) verify_block(block);
  }
  /// Copies `count` values from `first` on, verified as `verify` does; none of them stays in memory. Throws
  /// Error(Model).
  void read(size_t first, size_t count, float* out) const;

 private:
  void verify_block(size_t block) const;

  std::string path_;
  MappedFile file_;
  MappedFooter footer_;
  WordIndex words_;
  std::span<const float> values_, norms_;
  std::span<const uint64_t> checksums_;  // of each block of the matrix
  size_t block_values_ = 0;
  std::unique_ptr<std::atomic<bool>[]> verified_;
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

  void write(std::string_view bytes);
  void close_block();
  void flush();

  AtomicFile file_;
  std::string buffer_;
  MappedFooter footer_;
  uint64_t written_ = 0;
  std::vector<float> norms_;
  std::vector<uint64_t> blocks_;        // checksums
  std::unique_ptr<Checksum> checksum_;  // of the block, then of the index
};

}  // namespace semblance
