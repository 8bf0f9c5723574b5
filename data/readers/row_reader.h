// Rows of fields from delimited text: quoted as RFC 4180 says (fields may hold line breaks), or plain.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/io/byte_stream.h"

namespace semblance {

struct Row {
  std::vector<std::string_view> fields;  ///< hold until the next row is read
  int64_t line = 0;                      ///< 1-based line on which the row begins
  std::string error;                     ///< why the row cannot be used; empty for a good one
};

/// To be used by one thread at a time.
class RowReader {
 public:
  virtual ~RowReader() = default;
  /// The next row that is not blank, or false at the end.
  virtual bool next(Row& row) = 0;
};

/// Rows of `stream`; a byte-order mark is dropped. After broken quoting, reading goes on at the next line.
std::unique_ptr<RowReader> make_row_reader(ByteStream stream, char delimiter, bool quoted);

}  // namespace semblance
