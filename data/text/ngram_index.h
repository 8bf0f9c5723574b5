// The runs of characters that known words are made of, numbered (row 5.1): with runs of three, "where" is
// #wh whe her ere re#. Characters are code points, whatever bytes they take.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "data/fields.h"
#include "data/text/word_table.h"

namespace semblance {

struct NgramIndexOptions {
  std::string lengths = "3";
  int64_t hash_buckets = 0;

  void fields(FieldList& list) {
    list.add("ngrams", lengths,
             {.help = "characters in a run, the mark of a word's end counted: 3, or a range such as 3-6",
              .hint = "N|N-M"});
    list.add("hash-buckets", hash_buckets,
             {.help = "let runs share at most so many rows by hashing; 0: each run its own",
              .min = 0,
              .max = 1e9});
  }
};

class NgramIndex {
 public:
  /// Throws Error(Usage) for lengths that are none.
  explicit NgramIndex(const NgramIndexOptions& options);

  /// Numbers the runs of `word` (well-formed UTF-8) that are new.
  void add(std::string_view word);
  /// Appends the numbers of the known runs of `word`, in their order, to `ids`; unknown ones are left out.
  void append_ids(std::string_view word, std::vector<int32_t>& ids) const;
  /// Runs, or with hashing the buckets that a run fell into.
  int32_t size() const;

  /// The form kept in a checkpoint: a line for each number, in order, with the run or the bucket.
  std::string serialize() const;
  /// Reads that form; `source` names it in messages. Throws Error(Model) naming the line.
  static NgramIndex parse(const NgramIndexOptions& options, const std::string& text,
                          const std::string& source);

 private:
  // Calls visit(run) for each run of `word` between its marks.
  template <class Visit>
  void for_each_run(std::string_view word, Visit&& visit) const;
  size_t bucket(std::string_view run) const;

  size_t shortest_ = 0, longest_ = 0;
  WordTable runs_;                      // without hashing
  std::vector<int32_t> row_of_bucket_;  // with hashing: -1 where no known run falls
  std::vector<size_t> buckets_;         // the buckets in the order of their rows
};

}  // namespace semblance
