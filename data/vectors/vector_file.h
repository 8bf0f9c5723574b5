// Word-vector files as they are found (row 3.1): word2vec binary and text, GloVe text, fastText .vec, gzipped
// or not; fastText's models.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "data/fields.h"
#include "data/io/byte_stream.h"
#include "data/readers/read_report.h"
#include "data/readers/table_options.h"
#include "data/text/word_table.h"

namespace semblance {

/// Bytes of a word.
constexpr size_t kLongestWord = size_t{1} << 16;
/// The length of a vector, |v|: products of two longer ones are beyond float32.
constexpr float kLongestVector = 1e18f;

struct VectorFileOptions {
  int64_t limit = 0;
  BadRows bad_rows = BadRows::Error;

  void fields(FieldList& list) {
    list.add("limit", limit, {.help = "read the first N vectors alone; 0: all", .min = 0, .max = 2e9});
    list.add("bad-rows", bad_rows,
             {.help = "stop at a vector that cannot be used (short, not numbers, not finite, too long, an "
                      "empty word or one "
                      "with a control character), or skip and count it"});
  }
};

/// What reading met on the way; `layout` is "word2vec text" and the like, gzip is not told.
struct VectorReport : ReadReport {
  VectorReport() { units = {.whole = "vector", .bad = "vector", .repaired = "word"}; }
  void tell(const std::string& file, const Notice& notice) const;
  /// As ReadReport's, of all words.
  void check_encoding(const std::string& file) const;

  int64_t dim = 0;
  int64_t duplicates = 0;  ///< later vectors of a word that was there: left out, as gensim does
  int64_t surplus = 0;     ///< vectors after the last one that the header promises: left out
};

/// One vector after another. The format is recognised by content. A header's promise is held against the size
/// of the file before memory is taken. To be used by one thread at a time.
class VectorReader {
 public:
  /// Opens `path` ("-": standard input). Throws Error(Data) if it is no file of word vectors, and as
  /// FastTextModel does.
  VectorReader(const std::string& path, const VectorFileOptions& options);
  ~VectorReader();

  int64_t dim() const { return report_.dim; }
  /// Vectors that the header promises and the file has room for; 0 where that is not known.
  int64_t expected_rows() const { return expected_rows_; }
  /// The next word that was not there before and its vector, [dim], until the next call; false at the end.
  /// Throws Error(Data) naming file and place for a vector that cannot be used, and at the end of a text that
  /// must be in another encoding than UTF-8.
  bool next();
  std::string_view word() const { return words_[words_.size() - 1]; }
  std::span<const float> vector() const { return vector_; }

  /// Words delivered so far, numbered in order.
  const WordTable& words() const { return words_; }
  WordTable take_words() { return std::move(words_); }
  const VectorReport& report() const { return report_; }

 private:
  class Source;
  class TextSource;
  class BinarySource;
  class FastTextSource;

  std::unique_ptr<Source> open(const std::string& path);
  bool read_next();

  VectorFileOptions options_;
  std::string path_;
  VectorReport report_;
  WordTable words_;
  std::vector<float> vector_;
  std::string clean_word_;
  int64_t promised_ = 0;  // vectors, by the header; 0: there is none
  int64_t taken_ = 0;     // vectors read, those left out among them
  bool ended_ = false;
  int64_t expected_rows_ = 0;
  std::unique_ptr<Source> source_;
};

}  // namespace semblance
