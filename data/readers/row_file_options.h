// How files of rows of texts are laid out – pairs, duplicates, questions with candidates (row 6.7): what
// option structs need of it.
#pragma once

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "data/readers/table_options.h"

namespace semblance {

enum class RowFormat { Auto, Csv, Tsv, JsonLines };

template <>
struct EnumNames<RowFormat> {
  static constexpr std::array names{std::pair{RowFormat::Auto, "auto"}, std::pair{RowFormat::Csv, "csv"},
                                    std::pair{RowFormat::Tsv, "tsv"},
                                    std::pair{RowFormat::JsonLines, "jsonl"}};
};

struct RowFileOptions {
  RowFormat format = RowFormat::Auto;
  std::vector<std::string> columns, negatives_columns;
  std::string score_column;
  TableOptions table;

  /// The same for other files, whose columns may be others: their format, and not what columns hold.
  RowFileOptions for_other_files() const {
    auto other = *this;
    other.columns.clear();
    other.negatives_columns.clear();
    other.score_column.clear();
    if (table.header == Header::Yes) other.table.header = Header::Auto;
    return other;
  }

  void fields(FieldList& list) {
    list.add("input-format", format, {.help = "layout of the files of rows; auto looks at their first rows"});
    list.add("columns", columns,
             {.help = "columns of the texts that are duplicates of each other (of the question and its "
                      "duplicate), where a file has others too",
              .hint = "NAME|NUMBER,…",
              .repeated = true});
    list.add("negatives-column", negatives_columns,
             {.help = "column of a text that is none: a hard negative; may be given several times",
              .hint = "NAME|NUMBER",
              .repeated = true});
    list.add("score-column", score_column,
             {.help = "column of how alike the two texts of a row are: their cosine is fitted to it, and "
                      "correlations are measured instead of ranks",
              .hint = "NAME|NUMBER"});
    table.fields(list);
  }
};

}  // namespace semblance
