// Writes models that fastText and gensim open (row 9.2); fasttext_model.h describes the file.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/io/atomic_file.h"
#include "data/vectors/fasttext_model.h"

namespace semblance {

struct FastTextShape {
  int64_t dim = 0;
  bool classifier = false;
  FastTextModel::Loss loss = FastTextModel::Loss::NegativeSampling;
  int64_t epochs = 1;
  int64_t buckets = 0;
  int64_t word_ngrams = 1, shortest = 0, longest = 0;  ///< of characters: 0, none
};

/// Everything in the order of the calls; rows are [dim]. To be used by one thread at a time.
class FastTextWriter {
 public:
  /// Throws Error as AtomicFile does, and Error(Data) for a model that is larger than the format can say.
  FastTextWriter(const std::string& path, const FastTextShape& shape, int64_t words, int64_t labels);

  /// Each word, then each label with its prefix. Throws Error(Data) for one that a blank, a control character
  /// or nothing at all would keep fastText from reading.
  void add_entry(std::string_view text, int64_t count, bool is_label);
  /// Ends the entries: the rows of the words and of the buckets follow.
  void begin_input();
  void add_row(std::span<const float> row);
  /// Ends the input: `rows` rows of the output follow.
  void begin_output(int64_t rows);
  void finish();

 private:
  void put(std::string_view bytes);
  template <class T>
  void put_number(T value) {
    put({reinterpret_cast<const char*>(&value), sizeof value});
  }
  void begin_matrix(int64_t rows);

  FastTextShape shape_;
  int64_t words_;
  AtomicFile file_;
  std::string buffer_;
};

}  // namespace semblance
