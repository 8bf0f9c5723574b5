// Rows of cells from delimited text and from JSON lines.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "data/io/byte_stream.h"
#include "data/readers/row_file_options.h"

namespace semblance {

struct RowCells {
  struct Cell {
    size_t column;  ///< from 0
    std::string_view text;
  };
  std::vector<Cell> cells;  ///< several of one column where JSON has a list there; hold until the next row
  size_t width = 0;         ///< fields of a delimited row
  int64_t line = 0;
  std::string error;  ///< why the row cannot be used; empty for a good one
};

/// To be used by one thread at a time.
class CellReader {
 public:
  virtual ~CellReader() = default;
  /// The next row that is not blank, be it a header, or false at the end.
  virtual bool next(RowCells& row) = 0;
  /// The columns' names, as far as the file has told them: the keys of JSON.
  virtual std::vector<std::string> names() const { return {}; }
};

/// `format` is not Auto. Of a line of JSON, an object's values stand in the columns that `names` gives their
/// keys, keys that it lacks in further ones; a list's items stand side by side. Texts, numbers and truth
/// values (1 and 0) are cells; what else there is, is passed over.
std::unique_ptr<CellReader> make_cell_reader(ByteStream stream, RowFormat format, char delimiter,
                                             Quoting quoting, const std::vector<std::string>& names);

}  // namespace semblance
