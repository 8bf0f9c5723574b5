// The words a model knows and their ids (row 1.3).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/fields.h"
#include "data/text/word_table.h"

namespace semblance {

struct VocabularyOptions {
  int64_t min_count = 1;
  int64_t max_words = 0;
  bool unknown_word = false;

  void fields(FieldList& list) {
    list.add("min-count", min_count,
             {.help = "keep words that occur at least so often in the training texts",
              .min = 1,
              .search = {.choices = "1|2|3|5"}});
    list.add("max-words", max_words, {.help = "keep the N commonest words; 0: all", .min = 0, .max = 2e9});
    list.add("unknown-word", unknown_word,
             {.help = "give words outside the vocabulary a row of their own instead of dropping them"});
  }
};

/// Never changes once made, so any number of threads may use it at once.
class Vocabulary {
 public:
  static constexpr int32_t kPad = 0;

  Vocabulary() = default;
  /// Keeps words of `words` by their `counts`, ordered by descending count, then bytes.
  Vocabulary(const WordTable& words, std::span<const int64_t> counts, const VocabularyOptions& options);

  /// Ids run from 0 to size() - 1: PAD, then UNK if there is one, then the words.
  int32_t size() const { return words_.size(); }
  bool has_unknown() const { return has_unknown_; }
  /// First id that belongs to a word.
  int32_t first_word() const { return has_unknown_ ? 2 : 1; }
  /// Without PAD and UNK.
  int32_t words() const { return size() - first_word(); }
  std::string_view word(int32_t id) const { return words_[id]; }
  int64_t count(int32_t id) const { return counts_[static_cast<size_t>(id)]; }

  /// Id of `word`; UNK's if the word is not known and UNK exists, otherwise -1.
  int32_t id(std::string_view word) const;

  /// The form kept in a checkpoint: a line "word<TAB>count" for each id, in order.
  std::string serialize() const;
  /// Reads that form; `source` names it in messages. Throws Error(Model) naming the line.
  static Vocabulary parse(const std::string& text, const std::string& source);

 private:
  void add_special(bool unknown);

  WordTable words_;
  std::vector<int64_t> counts_;
  bool has_unknown_ = false;
};

}  // namespace semblance
