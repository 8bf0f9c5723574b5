// Texts with their labels, read from any of the formats of row 1.4.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/ragged.h"
#include "data/readers/input_options.h"
#include "data/readers/read_report.h"
#include "data/readers/recognise.h"
#include "data/text/tokenized_texts.h"
#include "data/text/word_table.h"

namespace semblance {

struct LabelledTexts {
  Texts texts;        ///< none where they went to a tokenizer
  RaggedIds labels;   ///< numbers of `names`; one a row, or any number where the labels are sets
  WordTable names;    ///< numbered by first appearance
  bool sets = false;  ///< multi-label: a row may have several (marks, a list, 0/1 columns, a separator)
  Layout layout;      ///< of the first file
  int64_t blank = 0;  ///< texts of white space alone
  ReadReport report;
};

/// Reads all files in turn, the later ones in the layout of the first where they fit it. A folder holds a
/// folder for each class, and these a file for each text. What was guessed of the layout is checked against
/// the whole file. `trained`: layout and labels of the files trained on, for files that are to be measured.
/// Where `tokenizer` is given it gets the texts, and they are not kept. Throws Error(Data) naming file, line
/// and reason.
LabelledTexts read_labelled_texts(std::span<const std::string> paths, const InputOptions& options,
                                  const Expected& trained = {}, TextTokenizer* tokenizer = nullptr);

/// One of a stream of texts; the views hold until the next one.
struct ReadText {
  std::string_view text;                    ///< well-formed UTF-8
  std::span<const std::string_view> cells;  ///< of all columns, where the file is delimited
  const Json* object = nullptr;             ///< where it holds JSON lines
  bool left_out = false;                    ///< a bad row, under --bad-rows skip: it has nothing of the above
  bool may_wait = false;                    ///< the next one is not there yet: who batches should answer now
};

/// Reads one file's texts as a stream and calls take(text) for each row, in order. With expected.layout, a
/// file that does not fit it holds a text a line. `told` is called with the layout before the first text.
ReadReport read_texts(const std::string& path, const InputOptions& options, Expected expected,
                      const std::function<void(const Layout&)>& told,
                      const std::function<void(const ReadText&)>& take);

}  // namespace semblance
