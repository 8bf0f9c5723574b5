// How a file of rows of texts turned out to be laid out, and which of its columns hold what (row 6.7).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "data/config.h"
#include "data/io/byte_stream.h"
#include "data/readers/row_file_options.h"

namespace semblance {

enum class RowKind {
  Duplicates,  ///< every text of a row means the same
  Ranked,      ///< question, duplicate, negative 1, negative 2, …
};

struct RowLayout {
  RowFormat format = RowFormat::Tsv;  ///< not Auto
  char delimiter = '\t';
  Quoting quoting = Quoting::None;  ///< not Auto
  int64_t preamble = 0;             ///< rows before the header or the first row of texts
  bool header = false;              ///< the first row names the columns
  std::vector<std::string> names;   ///< by the header, or the keys of JSON; empty where there are none
  size_t width = 0;                 ///< columns; 0: rows differ
  /// Which columns hold what, from 0. No `texts`: all columns but the others named here.
  std::vector<size_t> texts, negatives;
  std::optional<size_t> score;
  std::string encoding;  ///< empty: UTF-8, or as a byte-order mark says
  bool chosen = false;   ///< the texts' columns were named, not guessed

  /// "column 2 (question1)"
  std::string column(size_t number) const;
  /// For people: "csv with header, texts in column 4 (question1) and column 5 (question2)".
  std::string description(RowKind kind) const;
};

/// What other files of the same columns are read by. Null where all columns are texts, and nobody said so.
Json row_layout_to_json(const RowLayout& layout);
/// Throws Json::exception, std::out_of_range or Error for what is none.
RowLayout row_layout_from_json(const Json& json);

/// The layout of the rows in `stream`, which is left at its start. What the options leave open is as in
/// `settled`, if that is given and the file is laid out alike, or recognised from the first rows. Throws
/// Error(Data) for an empty file, a named column that is missing, and columns of which it cannot be told what
/// they hold.
RowLayout recognise_rows(ByteStream& stream, const RowFileOptions& options, RowKind kind,
                         const RowLayout* settled);

}  // namespace semblance
