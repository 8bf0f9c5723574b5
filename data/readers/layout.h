// What a text file looks like inside: recognised from its first bytes, or as the options say.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "data/io/byte_stream.h"
#include "data/readers/input_options.h"

namespace semblance {

struct Layout {
  InputFormat format = InputFormat::Lines;
  char delimiter = '\t';
  bool quoted = false;
  bool header = false;
  size_t columns = 0;      ///< of a delimited file
  size_t text_column = 0;  ///< 0-based
  size_t label_column = 0;
  bool has_label_column = false;

  bool delimited() const {
    return format == InputFormat::Csv || format == InputFormat::Tsv || format == InputFormat::RuTweetCorp;
  }
  /// For people: "tsv with header, label in column 2 (tags), text in column 1 (title)".
  std::string description;
};

/// Bytes that are enough to recognise a layout.
constexpr size_t kLayoutSample = size_t{1} << 16;

/// Recognises the layout of the text in `stream`, which is left at its start. Throws Error(Data) if the file
/// is empty, a named column is missing, or labels are needed and cannot be told.
Layout recognise_layout(ByteStream& stream, const InputOptions& options, bool needs_labels);

}  // namespace semblance
