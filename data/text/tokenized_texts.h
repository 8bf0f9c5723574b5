// A corpus cut into tokens once: word numbers, counted and renumbered without looking at the text again.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "data/ragged.h"
#include "data/text/text_pipeline.h"
#include "data/text/word_table.h"

namespace semblance {

struct TokenizedTexts {
  RaggedIds tokens;  ///< numbers of `words`, a row for each text
  WordTable words;   ///< numbered by first appearance in the texts

  /// How often each word occurs in the given rows.
  Bulk<int64_t> count(std::span<const int64_t> rows) const;
  /// Rows with equal tokens get equal group numbers.
  Bulk<int64_t> duplicate_groups() const;
};

/// Tokenises `texts` on `threads` threads. The result does not depend on their number.
TokenizedTexts tokenize(const Texts& texts, const TextPipeline& pipeline, int threads);

/// The same from texts that come one after another and are not kept.
class TextTokenizer {
 public:
  /// `pipeline` is to outlive it.
  TextTokenizer(const TextPipeline& pipeline, int threads) : pipeline_(pipeline), threads_(threads) {}

  void add(std::string_view text);
  /// Texts added so far.
  int64_t size() const { return whole_.tokens.size() + waiting_.size(); }
  /// Forgets the texts from number `first` on.
  void forget_from(int64_t first);
  /// What was made of them all; it has nothing afterwards.
  TokenizedTexts take();

 private:
  void tokenize_waiting();

  const TextPipeline& pipeline_;
  int threads_;
  Texts waiting_;
  TokenizedTexts whole_;
};

}  // namespace semblance
