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
  std::vector<int64_t> count(std::span<const int64_t> rows) const;
  /// Rows with equal tokens get equal group numbers.
  std::vector<int64_t> duplicate_groups() const;
};

/// Tokenises `texts` on `threads` threads. The result does not depend on their number.
TokenizedTexts tokenize(const Texts& texts, const TextPipeline& pipeline, int threads);

}  // namespace semblance
