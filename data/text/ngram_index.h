// The character n-grams that known words are made of, numbered (row 5.1): the trigrams of "where" are #wh
// whe her ere re#. Characters are code points, whatever bytes they take.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "data/bulk.h"
#include "data/fields.h"
#include "data/text/word_table.h"

namespace semblance {

struct NgramIndexOptions {
  std::string lengths = "3";
  int64_t hash_buckets = 0;

  void fields(FieldList& list) {
    list.add("ngrams", lengths,
             {.help = "length of the n-grams, the marks of a word's ends counted: 3, or a range such as 3-6",
              .hint = "N|N-M"});
    list.add(
        "hash-buckets", hash_buckets,
        {.help = "rows that the n-grams share by hashing; 0: each n-gram has its own", .min = 0, .max = 1e9});
  }
};

/// Const functions may be called by several threads at once, as long as none calls `add`.
class NgramIndex {
 public:
  /// Throws Error(Usage) for invalid lengths.
  explicit NgramIndex(const NgramIndexOptions& options);

  /// Numbers the n-grams of `word` (well-formed UTF-8) that are new.
  void add(std::string_view word);
  /// Appends the numbers of the known n-grams of `word`, in their order, to `ids`; unknown ones are left out.
  void append_ids(std::string_view word, Bulk<int32_t>& ids) const;
  /// N-grams, or with hashing the buckets that an n-gram fell into.
  int32_t size() const;
  size_t shortest() const { return shortest_; }
  size_t longest() const { return longest_; }
  bool is_hashed() const { return !row_of_bucket_.empty(); }
  /// The n-gram with a number, in which `begin` and `end` stand for the ends of a word. Not with hashing.
  std::string name(int32_t id, char begin, char end) const;

  /// The form kept in a checkpoint: a line for each number, in order, with the n-gram or the bucket.
  std::string serialize() const;
  /// Reads that form; `source` names it in messages. Throws Error(Model) naming the line.
  static NgramIndex parse(const NgramIndexOptions& options, const std::string& text,
                          const std::string& source);

 private:
  // Calls visit(ngram) for each n-gram of `word` between its marks.
  template <class Visit>
  void for_each_ngram(std::string_view word, Visit&& visit) const;
  size_t bucket(std::string_view ngram) const;

  size_t shortest_ = 0, longest_ = 0;
  WordTable ngrams_;                    // without hashing
  std::vector<int32_t> row_of_bucket_;  // with hashing: -1 where no known n-gram falls
  std::vector<size_t> buckets_;         // the buckets in the order of their rows
};

}  // namespace semblance
