// Rows of texts: duplicates of each other, or a question and what is to be ranked for it
// (rows 4.1, 6.1, 6.7).
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "data/ragged.h"
#include "data/readers/cell_reader.h"
#include "data/readers/column_facts.h"
#include "data/readers/read_report.h"
#include "data/readers/row_layout.h"

namespace semblance {

/// Views hold until the next row is read.
struct TextRow {
  std::vector<std::string_view> texts;                      ///< two or more, the question first
  std::vector<std::string_view> negatives;                  ///< texts that are no duplicates of them
  double score = std::numeric_limits<double>::quiet_NaN();  ///< where the layout has scores
};

/// Reads rows of two texts and more; blank lines are passed over, empty fields are no texts (but as a ranked
/// row's question and duplicate). Ill-formed UTF-8 becomes U+FFFD. To be used by one thread at a time.
class TextRowReader {
 public:
  /// See recognise_rows, and what it throws.
  TextRowReader(const std::string& path, const RowFileOptions& options, RowKind kind,
                const RowLayout* settled = nullptr);

  /// The next row, or false at the end. Throws Error(Data) naming file and line for a bad one.
  bool next(TextRow& row);

  const ReadReport& report() const { return report_; }
  const RowLayout& layout() const { return layout_; }
  const std::string& name() const { return name_; }
  /// Tells of the layout and of what was left out and repaired. Throws Error(Data) if there was no row at
  /// all, and where a column that nobody named turns out to hold no texts.
  void finish(const Notice& notice) const;

 private:
  enum class Role { Text, Negative, Score, None };

  Role role(size_t column);
  Role find_role(size_t column) const;
  bool take(TextRow& row);  // what stands in cells_; sets cells_.error
  std::string_view valid(std::string_view text, bool& repaired);
  void check_columns(const Notice& notice) const;

  std::string name_;
  BadRows bad_rows_;
  RowKind kind_;
  bool guesses_encoding_;
  RowLayout layout_;
  bool picks_texts_ = false;     // whether their columns may come in another order than they were named in
  bool watches_quotes_ = false;  // whether it was told from the first rows that quotes are the texts' own
  int64_t quoted_tabs_ = 0, first_quoted_tab_ = 0;  // rows, line
  std::unique_ptr<CellReader> reader_;
  std::vector<Role> roles_;  // of the columns met so far
  RowCells cells_;
  std::deque<std::string> repaired_;
  ReadReport report_{.units = {.whole = "row", .bad = "row", .repaired = "row"}};
  std::vector<ColumnFacts> facts_;      // of the columns of texts
  size_t least_ = SIZE_MAX, most_ = 0;  // texts in a row
};

/// Texts in rows: row r's duplicates are texts[starts[r]] to texts[negatives[r] - 1], two or more, and its
/// hard negatives texts[negatives[r]] to texts[starts[r + 1] - 1].
struct TextRows {
  Texts texts;
  Bulk<int64_t> starts{0}, negatives;
  Bulk<double> scores;  ///< one a row, or none at all

  int64_t size() const { return static_cast<int64_t>(negatives.size()); }
};

/// Appends the rows of a file in which each row's texts are duplicates of each other, empty texts left out.
/// Where `take` is given it gets the texts, one after another, instead of `rows.texts`. Returns the layout.
/// Throws Error(Data) as TextRowReader does.
RowLayout read_duplicate_rows(const std::string& path, const RowFileOptions& options, const Notice& notice,
                              TextRows& rows, const RowLayout* settled = nullptr,
                              const std::function<void(std::string_view)>& take = {});

}  // namespace semblance
