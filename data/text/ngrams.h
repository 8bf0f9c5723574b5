// Word n-grams and character n-grams as extra ids, hashed into a fixed number of rows: Joulin et al. 2016,
// "Bag of tricks for efficient text classification" (row 2.8), and Bojanowski et al. 2017, "Enriching word
// vectors with subword information".
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "data/bulk.h"
#include "data/fields.h"
#include "data/text/ngram_rows.h"
#include "data/text/unicode.h"

namespace semblance {

/// Calls visit(ngram) for each n-gram of `shortest` to `longest` characters (code points) of `word`,
/// well-formed UTF-8, between the marks that stand for its ends; not for a mark alone. The order is that of
/// their first characters, then of their lengths.
template <class Visit>
void for_each_char_ngram(std::string_view word, char begin_mark, char end_mark, size_t shortest,
                         size_t longest, Visit&& visit) {
  const std::string marked = begin_mark + std::string(word) + end_mark;
  std::vector<size_t> starts;  // of each character, and the end
  for (size_t position = 0; position < marked.size(); decode_utf8(marked, position))
    starts.push_back(position);
  starts.push_back(marked.size());
  const size_t characters = starts.size() - 1;
  for (size_t first = 0; first < characters; ++first)
    for (size_t length = shortest; length <= longest && first + length <= characters; ++length) {
      const bool mark_alone = length == 1 && (first == 0 || first + 1 == characters);
      if (!mark_alone)
        visit(std::string_view(marked).substr(starts[first], starts[first + length] - starts[first]));
    }
}

/// How n-grams are hashed into buckets.
enum class NgramHash {
  Semblance,  ///< words by their ids, characters by XXH3; each kind has buckets of its own
  FastText,   ///< as fastText does, so that the model can be its own: words by their bytes, unknown ones and
              ///< the end of the text (</s>) too; both kinds share `buckets`
};

template <>
struct EnumNames<NgramHash> {
  static constexpr std::array names{std::pair{NgramHash::Semblance, "semblance"},
                                    std::pair{NgramHash::FastText, "fasttext"}};
};

struct NgramOptions {
  NgramHash hash = NgramHash::Semblance;
  int64_t longest = 1;
  int64_t buckets = 500000;
  int64_t longest_chars = 0;
  int64_t shortest_chars = 3;
  int64_t char_buckets = 500000;
  int64_t min_count = 1;

  /// Buckets of word n-grams, which come first: none where single words are all.
  int64_t word_buckets() const { return longest > 1 && hash == NgramHash::Semblance ? buckets : 0; }
  /// Buckets of all n-grams.
  int64_t all_buckets() const {
    if (hash == NgramHash::FastText) return longest > 1 || longest_chars > 0 ? buckets : 0;
    return word_buckets() + (longest_chars > 0 ? char_buckets : 0);
  }

  void fields(FieldList& list) {
    list.add("ngrams", longest,
             {.help = "longest word n-grams used as features; 1: words alone",
              .min = 1,
              .max = 10,
              .search = {.choices = "1|2|3"}});
    list.add("buckets", buckets, {.help = "buckets that word n-grams are hashed into", .min = 1, .max = 5e8});
    list.add("char-ngrams", longest_chars,
             {.help = "longest character n-grams used as features, of unknown words too; 0: none",
              .min = 0,
              .max = 32,
              .search = {.choices = "0|4|5|6"}});
    list.add("min-char-ngrams", shortest_chars,
             {.help = "shortest character n-grams; each end of a word counts as a character",
              .min = 1,
              .max = 32});
    list.add("char-buckets", char_buckets,
             {.help = "buckets that character n-grams are hashed into", .min = 1, .max = 5e8});
    list.add(
        "hash", hash,
        {.help =
             "how n-grams are hashed; fasttext: as fastText does, for export --format fasttext; words and "
             "characters then share --buckets",
         .before = "semblance"});
    list.add(
        "min-ngram-count", min_count,
        {.help = "a bucket has an embedding row if n-grams of the training texts fall into it at least so "
                 "often, and is left out of a text otherwise; 0: each has one",
         .min = 0,
         .max = NgramRows::kMostCounted,
         .before = "0",
         .search = {.choices = "1|2|3"}});
  }
};

/// Throws Error(Usage) where the shortest character n-gram is longer than the longest.
void check_ngrams(const NgramOptions& options);

/// Appends the ids of the n-grams of `words`, from 2 words to options.longest, to `ids`; they lie in
/// [first_id, first_id + options.buckets). Words are numbers that stand for them: ids, or of
/// NgramHash::FastText fasttext_hash of each, as a signed number.
void append_ngrams(std::span<const int32_t> words, int32_t first_id, const NgramOptions& options,
                   Bulk<int32_t>& ids);

/// Appends the ids of the character n-grams of `word` (code points of well-formed UTF-8) between the marks <
/// and > that stand for its ends, from options.shortest_chars to options.longest_chars long, without the
/// marks alone; they lie in [first_id, first_id + options.char_buckets).
void append_char_ngrams(std::string_view word, int32_t first_id, const NgramOptions& options,
                        Bulk<int32_t>& ids);

}  // namespace semblance
