// How a file of texts turned out to be laid out.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "data/config.h"
#include "data/readers/input_options.h"

namespace semblance {

struct Layout {
  InputFormat format = InputFormat::Lines;  ///< not Auto
  char delimiter = '\t';
  Quoting quoting = Quoting::None;  ///< not Auto
  bool header = false;
  int64_t preamble = 0;              ///< rows before the header or the first row of data
  std::vector<std::string> columns;  ///< of delimited files and JSON lines; without names where no header is
  std::vector<size_t> texts;         ///< columns of the text, which are joined
  std::vector<size_t> labels;        ///< none, that of the label(s), or one 0/1 column a label
  std::string label_separator;       ///< between several labels of a cell; empty: a cell is one, or a list
  std::string label_prefix;
  std::string encoding;  ///< empty: UTF-8, or as a byte-order mark says

  bool delimited() const {
    return format == InputFormat::Csv || format == InputFormat::Tsv || format == InputFormat::RuTweetCorp;
  }
  /// For people: "tsv with header, label in column 2 (tags), text in column 1 (title)".
  std::string description() const;
  /// "column 2 (tags)"
  std::string column_name(size_t column) const;
};

Json layout_to_json(const Layout& layout);
/// Throws Json::exception or Error(Usage) where `json` is none that layout_to_json made.
Layout layout_from_json(const Json& json);

}  // namespace semblance
