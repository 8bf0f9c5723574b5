// Which column of a table is the text, which the label, and whether its first row names them: told from the
// rows themselves, and from names only where these name columns.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/readers/input_options.h"
#include "data/readers/layout.h"

namespace semblance {

/// The first rows of a table, all of the same number of cells.
using Table = std::vector<std::vector<std::string>>;

/// Whether a label is one that was trained on.
using KnowsLabel = std::function<bool(std::string_view)>;

/// Whether the first row is a header: one whose cells are not values of their columns. A column of few
/// different values, or of numbers, tells; where none does, known names decide. `labels` are the
/// columns of labels where these are known.
bool has_header(const Table& rows, const std::vector<size_t>& labels);

/// Fills layout.columns, texts and labels. The options name columns, or the header's names and the cells
/// tell; `rows` do not include the header. Throws Error(Data), naming the columns in question, where several
/// could be meant or none is found. `place` is the file and the header's line.
void choose_columns(Layout& layout, const Table& rows, const InputOptions& options, bool needs_labels,
                    const std::string& place);

/// Whether `option` names a column, by anything but a number.
bool is_column_name(const std::string& option);

/// The column, from 0, that `wanted` names (blanks around the name aside) or numbers from 1; nothing if there
/// is none among `width` columns (0: of any number).
std::optional<size_t> column_of(const std::string& wanted, const std::vector<std::string>& names,
                                size_t width);

/// The column of `columns` that `wanted` names or numbers. Throws Error(Data).
size_t find_column(std::string_view option, const std::string& wanted,
                   const std::vector<std::string>& columns, bool named, const std::string& place);

}  // namespace semblance
