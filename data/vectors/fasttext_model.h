// fastText's own models, .bin and .ftz: words, labels, n-grams and their rows, as they lie in the file
// (row 9.2).
//
// The format (fastText 0.9.2, little-endian): int32 magic, version; the options, 12 int32 and a double; the
// dictionary: entries of word, count and kind, words first, then where rows of pruned n-grams went; the input
// matrix, of words and buckets of n-grams; the output matrix. A matrix is float [rows, dim], or
// product-quantised. It has no checksum: what is checked is that all of it fits together and ends where the
// file does, and each number that is used.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "data/io/mapped_file.h"
#include "data/text/fasttext_hash.h"
#include "data/text/word_table.h"

namespace semblance {

/// A table of vectors, in floats or product-quantised (Jégou, Douze and Schmid 2011), over memory of a file.
class FastTextMatrix {
 public:
  /// out[:] += row; [dim]
  void add_row(int64_t row, std::span<float> out) const;
  float dot_row(int64_t row, std::span<const float> x) const;
  int64_t rows() const { return rows_; }
  int64_t dim() const { return dim_; }

 private:
  friend class FastTextReader;
  /// A vector's parts as numbers of centroids: 256 for each part, [part][256][part_dim].
  struct Quantiser {
    int64_t parts = 0, part_dim = 0, last_dim = 0;
    const char* centroids = nullptr;
    const char* centroid(int64_t part, uint8_t code) const;
    int64_t width(int64_t part) const { return part + 1 == parts ? last_dim : part_dim; }
  };
  template <class Visit>
  void for_each_part(int64_t row, Visit&& visit) const;

  int64_t rows_ = 0, dim_ = 0;
  const char* floats_ = nullptr;    // [rows, dim], not aligned; null where it is quantised
  const uint8_t* codes_ = nullptr;  // [rows, parts]
  const uint8_t* norms_ = nullptr;  // [rows]; null: the rows' lengths are in their codes
  Quantiser quantiser_, norm_quantiser_;
};

/// Never changes once opened, so any number of threads may use it at once.
class FastTextModel {
 public:
  enum class Loss { HierarchicalSoftmax = 1, NegativeSampling = 2, Softmax = 3, OneVsAll = 4 };

  /// Throws Error(Model) for a file that is truncated or does not fit together.
  explicit FastTextModel(const std::string& path);

  const std::string& path() const { return path_; }
  int64_t dim() const { return input_.dim(); }
  /// Of words and of n-grams.
  int64_t rows() const { return input_.rows(); }
  /// In the order of the file, the more frequent first. Any bytes but zero.
  const WordTable& words() const { return words_; }
  /// Whether words that it does not know have vectors.
  bool has_subwords() const { return longest_ > 0 && buckets_ > 0; }
  /// The mean of the rows of a word and of its character n-grams, as fastText prints it; false, with zeros
  /// written, where there is none. Throws Error(Model) where the rows hold numbers that are not finite.
  bool word_vector(std::string_view word, std::span<float> out) const;

  bool is_classifier() const { return supervised_; }
  Loss loss() const { return loss_; }
  /// Without their prefix, in the order of the output's rows.
  const std::vector<std::string>& labels() const { return labels_; }
  /// The probability of each label for a text, [labels], as fastText prints it, which is some 1e-5 more than
  /// it is and may be above 1; false where the text has nothing that it knows. A text is a line: words are
  /// what stands between blanks, and words with the labels' prefix are none. Throws Error(Model) as
  /// word_vector.
  bool label_probabilities(std::string_view text, std::span<float> out) const;

 private:
  friend class FastTextReader;

  int32_t find(std::string_view word) const { return words_.find(word); }
  void append_subwords(std::string_view word, std::vector<int32_t>& rows) const;
  void append_bucket(int64_t bucket, std::vector<int32_t>& rows) const;
  void append_known(int32_t id, std::vector<int32_t>& rows) const;
  std::vector<int32_t> rows_of(std::string_view text) const;
  bool mean(std::span<const int32_t> rows, std::span<float> out) const;
  void check_finite(std::span<const float> values) const;

  struct Node {  // of the tree of hierarchical softmax; leaves are the labels
    int32_t left = -1, right = -1;
    int64_t count = 0;
  };
  void build_tree(std::span<const int64_t> counts);

  std::string path_;
  MappedFile file_;
  bool supervised_ = false;
  Loss loss_ = Loss::Softmax;
  int64_t buckets_ = 0;
  int32_t word_ngrams_ = 1, shortest_ = 0, longest_ = 0;
  WordTable words_;
  std::vector<std::string> labels_;
  WordTable labels_in_text_;
  bool pruned_ = false;
  std::unordered_map<int32_t, int32_t> kept_;  // buckets of pruned n-grams that have a row, and which
  FastTextMatrix input_, output_;
  std::vector<Node> tree_;
};

/// The `k` most probable labels of at least `threshold`; of equals those that fastText names, in its order.
std::vector<size_t> fasttext_best(std::span<const float> probabilities, size_t k, float threshold);

/// Whether a file begins as a model; false for what cannot be opened, and for pipes.
bool is_fasttext_model(const std::string& path);
/// Whether `bytes` are the beginning of one; also of one of before it had a magic number.
bool begins_as_fasttext_model(std::string_view bytes);

}  // namespace semblance
