// A corpus cut into tokens once: word numbers, counted and renumbered without looking at the text again.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "data/ragged.h"
#include "data/text/ngrams.h"
#include "data/text/text_pipeline.h"
#include "data/text/vocabulary.h"
#include "data/text/word_table.h"

namespace semblance {

struct TokenizedTexts {
  RaggedIds tokens;  ///< numbers of `words`, a row for each text
  WordTable words;   ///< numbered by first appearance in the texts

  /// How often each word occurs in the given rows.
  std::vector<int64_t> count(std::span<const int64_t> rows) const;
  /// The given rows in the ids of `vocabulary`; words it lacks become UNK, or nothing if it has none. After a
  /// row's words come its runs of words, then the runs of characters of all its words; their ids follow the
  /// vocabulary's.
  RaggedIds encode(std::span<const int64_t> rows, const Vocabulary& vocabulary,
                   const NgramOptions& ngrams = {}) const;
  /// Rows with equal tokens get equal group numbers.
  std::vector<int64_t> duplicate_groups() const;
};

/// Tokenises `texts` on `threads` threads. The result does not depend on their number.
TokenizedTexts tokenize(const Texts& texts, const TextPipeline& pipeline, int threads);

/// One text as `TokenizedTexts::encode` encodes it, appended to `ids`; `buffer` then holds its tokens.
void encode_text(std::string_view text, const TextPipeline& pipeline, const Vocabulary& vocabulary,
                 const NgramOptions& ngrams, TokenBuffer& buffer, std::vector<int32_t>& ids);

struct EncodedIds {
  RaggedIds ids;  ///< a row for each text
  int64_t tokens = 0, unknown_tokens = 0;
};

/// Many texts, each as encode_text encodes it, on `threads` threads.
EncodedIds encode_texts(const Texts& texts, const TextPipeline& pipeline, const Vocabulary& vocabulary,
                        const NgramOptions& ngrams, int threads);

}  // namespace semblance
