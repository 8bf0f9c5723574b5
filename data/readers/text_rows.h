// Rows of texts between tabs: duplicates of each other, or a question and what is to be ranked for it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "data/io/line_reader.h"
#include "data/ragged.h"
#include "data/readers/input_options.h"
#include "data/readers/read_report.h"

namespace semblance {

/// Reads rows of two and more fields; blank lines are passed over. Ill-formed UTF-8 becomes U+FFFD. To be
/// used by one thread at a time.
class TextRowReader {
 public:
  /// `expected` is what a row holds, for messages.
  TextRowReader(const std::string& path, BadRows bad_rows, std::string expected);

  /// The next row's fields, which hold until the next call, or false at the end. `dropping_empty`: empty
  /// fields do not count. Throws Error(Data) naming file and line for a row of fewer than two.
  bool next(std::vector<std::string_view>& fields, bool dropping_empty = false);

  const ReadReport& report() const { return report_; }
  /// Tells of what was left out and repaired; throws Error(Data) if there was no row at all.
  void finish(const Notice& notice) const;

 private:
  LineReader lines_;
  BadRows bad_rows_;
  std::string expected_, clean_;
  ReadReport report_{.units = {.whole = "row", .bad = "row", .repaired = "row"}};
};

/// Texts in rows: row r's are texts[starts[r]] to texts[starts[r + 1] - 1], two or more.
struct TextRows {
  Texts texts;
  std::vector<int64_t> starts{0};

  int64_t size() const { return static_cast<int64_t>(starts.size()) - 1; }
};

/// Appends the rows of a file in which each row's texts are duplicates of each other; empty texts are left
/// out. Returns the number of rows skipped. Throws Error(Data) as TextRowReader does.
int64_t read_duplicate_rows(const std::string& path, BadRows bad_rows, const Notice& notice, TextRows& rows);

}  // namespace semblance
