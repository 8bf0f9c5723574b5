// Rows of fields from delimited text, as pandas' read_csv cuts them: quoted (fields may then hold delimiters
// and line breaks) or plain.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "data/io/byte_stream.h"
#include "data/io/read_buffer.h"
#include "data/readers/table_options.h"

namespace semblance {

struct Row {
  std::vector<std::string_view> fields;  ///< hold until the next row is read
  int64_t line = 0;                      ///< 1-based line on which the row begins
  std::string error;                     ///< why the row cannot be used; empty for a good one
  bool loose = false;  ///< there was more behind a closing quote, or a quote without a backslash where others
                       ///< have one: it was taken for a part of the field
  bool is_empty() const;  ///< whether there is nothing but blanks in its fields
};

/// Rows end with LF, CRLF or a lone CR. To be used by one thread at a time.
class RowReader {
 public:
  /// A byte-order mark is dropped. `quoting` is not Auto. With Rfc4180, a field that begins with a quote ends
  /// with one, and two quotes inside it are one; with Backslash, a backslash makes any next character, within
  /// quotes or without, a part of the field.
  RowReader(ByteStream stream, char delimiter, Quoting quoting);

  /// The next row that is not blank, or false at the end. A field whose quote is not closed, or closed on
  /// another line and then followed by more, is an error; reading goes on with the line after the row's
  /// first.
  bool next(Row& row);

  const std::string& name() const { return in_.stream.name(); }

 private:
  enum class Parsed { Row, Unclosed, NeedsMore };

  bool fill();
  size_t line_end(size_t from);
  size_t after_line_end(size_t at) const;
  void cut_plain(size_t end, Row& row) const;
  Parsed parse_quoted(Row& row, size_t& end);

  ReadBuffer in_;
  char delimiter_;
  Quoting quoting_;
  size_t lf_ = std::string_view::npos;  // the first LF in what was searched, or its end; npos: not known
  bool at_start_ = true;
  int64_t line_ = 1;
  std::string unquoted_;      // the fields of a row with quotes
  std::vector<size_t> ends_;  // where each of them ends there
};

}  // namespace semblance
