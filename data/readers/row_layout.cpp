#include "data/readers/row_layout.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "data/error.h"
#include "data/readers/cell_reader.h"
#include "data/readers/column_facts.h"
#include "data/readers/sample.h"

namespace semblance {
namespace {

constexpr size_t kLongestName = 64;

struct SampleRow {
  std::vector<std::string> cells;
  std::vector<size_t> columns;  // of the cells
};

// The rows of a sample by their cells.
struct FirstRows {
  std::vector<SampleRow> rows;
  std::vector<std::string> names;  // keys of JSON
  size_t width = 0;                // of all delimited rows; 0: they differ
};

FirstRows first_objects(const Sample& sample, const std::string& file) {
  FirstRows first;
  const auto reader = make_cell_reader(ByteStream::from_memory(file, std::string(sample.bytes)),
                                       RowFormat::JsonLines, '\t', Quoting::None, {});
  for (RowCells row; reader->next(row);) {
    if (!row.error.empty()) continue;
    auto& kept = first.rows.emplace_back();
    for (const auto& cell : row.cells) {
      kept.cells.emplace_back(cell.text);
      kept.columns.push_back(cell.column);
    }
  }
  first.names = reader->names();
  return first;
}

FirstRows first_rows(const SampleRows& rows) {
  FirstRows first;
  first.width = rows.regular.size() == rows.all.size() ? rows.columns : 0;
  for (const auto& row : rows.all) {
    std::vector<size_t> columns(row.size());
    std::iota(columns.begin(), columns.end(), 0);
    first.rows.push_back({row, std::move(columns)});
  }
  return first;
}

RowFormat format_of(const RowFileOptions& options, const Sample& sample, const std::string& file) {
  if (options.format != RowFormat::Auto) return options.format;
  const auto name = plain_name(file);
  const auto given = given_delimiter(options.table.delimiter);
  if (const auto delimiter = given ? given : told_delimiter(sample))
    return *delimiter == '\t' ? RowFormat::Tsv : RowFormat::Csv;
  if (name.ends_with(".csv")) return RowFormat::Csv;
  const auto holds_json = [&] {
    return !sample.lines.empty() && json_if_any(sample.lines[0]).is_structured();
  };
  if (name.ends_with(".jsonl") || name.ends_with(".ndjson") || name.ends_with(".json") || holds_json())
    return RowFormat::JsonLines;
  // Without a tab there are no rows between tabs.
  if (sample.bytes.find('\t') != std::string_view::npos) return RowFormat::Tsv;
  const auto best = best_cut(sample, options.table, ",;|");
  return best.share == 1 && best.rows.preamble == 0 ? RowFormat::Csv : RowFormat::Tsv;
}

// Whether quotes in tab-separated rows are those of RFC 4180, not of the texts: they stand around every text,
// or double those within, and cut all rows.
bool is_quoted(const SampleRows& plain, const SampleRows& quoted) {
  if (quoted.broken > 0) return false;
  bool all = true, some = false, doubled = false;
  for (const auto& row : plain.all)
    for (const auto& cell : row) {
      const bool is = cell.size() > 1 && cell.starts_with('"') && cell.ends_with('"');
      all &= is || cell.empty() || number_in(cell).has_value();
      some |= is;
      doubled |= is && cell.find("\"\"", 1) < cell.size() - 2;
    }
  return (all && some) || doubled;
}

// Rows between tabs may hold any number of texts, and these may hold quotes: only where quoting cuts rows
// alike and lines alone do not, or where quotes show it, is there any.
SampleRows cut_between_tabs(const Sample& sample, RowLayout& layout, const TableOptions& options) {
  layout.quoting = options.quoting == Quoting::Auto ? Quoting::None : options.quoting;
  auto plain = cut_rows(sample, layout.delimiter, layout.quoting);
  if (options.quoting != Quoting::Auto) return plain;
  const bool ragged = plain.regular.size() < plain.all.size();
  auto best = best_cut(sample, options, std::string_view(&layout.delimiter, 1));
  const bool alike =
      best.rows.columns > 1 && best.rows.broken == 0 && best.rows.regular.size() == best.rows.all.size();
  if (ragged && alike) {
    layout.quoting = best.quoting;
    return std::move(best.rows);
  }
  auto quoted = cut_rows(sample, layout.delimiter, Quoting::Rfc4180);
  if (!is_quoted(plain, quoted)) return plain;
  layout.quoting = Quoting::Rfc4180;
  return quoted;
}

// Cuts the sample, and fills in how that is done.
FirstRows cut_sample(const Sample& sample, const RowFileOptions& options, RowLayout& layout,
                     const std::string& file) {
  layout.format = format_of(options, sample, file);
  if (layout.format == RowFormat::JsonLines) return first_objects(sample, file);
  SampleRows rows;
  if (layout.format == RowFormat::Csv) {
    auto best = best_cut(sample, options.table, ",;\t|");
    layout.delimiter = best.delimiter;
    layout.quoting = best.quoting;
    rows = std::move(best.rows);
  } else {
    layout.delimiter =
        given_delimiter(options.table.delimiter).value_or(told_delimiter(sample).value_or('\t'));
    rows = cut_between_tabs(sample, layout, options.table);
  }
  auto first = first_rows(rows);
  if (told_delimiter(sample) && !first.rows.empty()) {
    layout.preamble = 1;
    first.rows.erase(first.rows.begin());
    if (rows.preamble == 1 && rows.fit.bad == 0) first.width = rows.columns;
  }
  return first;
}

// Whether `cell` may be the name of a column.
bool is_name(std::string_view cell, bool of_one_word) {
  if (cell.empty() || cell.size() > kLongestName || number_in(cell)) return false;
  if (cell.find_first_of("?!.,;:\n") != std::string_view::npos) return false;
  return std::ranges::count(cell, ' ') <= (of_one_word ? 0 : 2);
}

// Whether the first row names the columns: it is unlike those below it. They hold numbers where it has a
// name (or none, as the index that pandas writes), or texts of several words or classes where it has single
// words that never come again.
bool names_columns(const FirstRows& sample) {
  const auto& rows = sample.rows;
  if (rows.size() < 2 || sample.width < 2) return false;
  const auto& first = rows[0].cells;
  if (std::set(first.begin(), first.end()).size() < first.size()) return false;
  bool all_names = true, single_words = true, has_index = false;
  for (size_t column = 0; column < first.size(); ++column) {
    ColumnFacts below;
    int64_t long_ones = 0;
    bool comes_again = false;
    for (size_t row = 1; row < rows.size(); ++row) {
      if (rows[row].cells == first) continue;  // the header again, where files were joined
      const auto& cell = rows[row].cells[column];
      below.add(cell);
      long_ones += cell.find(' ') != std::string::npos;
      comes_again |= cell == first[column];
    }
    const bool name = is_name(first[column], false);
    if (below.holds_numbers() && name) return true;
    const bool index = below.holds_numbers() && first[column].empty();
    has_index |= index;
    all_names &= name || index;
    single_words &= is_name(first[column], true) && !comes_again &&
                    (2 * long_ones >= static_cast<int64_t>(rows.size() - 1) || below.may_hold_labels());
  }
  return (all_names && has_index) || single_words;
}

std::optional<size_t> find_column(const std::string& wanted, const RowLayout& layout) {
  return column_of(wanted, layout.names, layout.names.empty() ? layout.width : layout.names.size());
}

// Those that an option names, one by one or between commas.
std::vector<size_t> find_columns(const std::vector<std::string>& wanted, std::string_view option,
                                 const RowLayout& layout, const std::string& file) {
  std::vector<size_t> columns;
  const auto add = [&](const std::string& name) {
    const auto column = find_column(name, layout);
    if (!column && !layout.names.empty())
      throw Error(ErrorKind::Data, "{}:1: expected a column '{}' (--{}), found: {}", file, name, option,
                  fmt::join(layout.names, ", "));
    if (!column)
      throw Error(ErrorKind::Data,
                  "{}:1: expected a column '{}' (--{}), found {}; number it from 1, or say --header yes",
                  file, name, option,
                  layout.width > 0 ? fmt::format("{} columns without names", layout.width)
                                   : "rows of different lengths without names");
    if (std::ranges::find(columns, *column) != columns.end())
      throw Error(ErrorKind::Usage, "--{}: expected different columns, found '{}' twice", option, name);
    columns.push_back(*column);
  };
  for (const auto& item : wanted) {
    if (find_column(item, layout))
      add(item);
    else
      for (const auto& part : split_list(item)) add(part);
  }
  return columns;
}

bool contains(const std::vector<size_t>& columns, size_t column) {
  return std::ranges::find(columns, column) != columns.end();
}

// The roles of the columns in a file that is laid out as `settled`; false if it is not.
bool take_roles(const RowLayout& settled, const FirstRows& sample, RowLayout& layout) {
  const auto place = [&](size_t column) -> std::optional<size_t> {
    if (settled.names.empty()) return column;
    const auto& names = layout.names;
    const auto found = std::ranges::find(names, settled.names[column]);
    return found == names.end() ? std::nullopt : std::optional<size_t>(found - names.begin());
  };
  if (settled.names.empty()) {
    if (!layout.names.empty() || settled.width == 0 || settled.width != sample.width) return false;
  } else {
    for (const auto& name : layout.names)
      if (std::ranges::find(settled.names, name) == settled.names.end()) return false;
    if (!std::ranges::all_of(settled.texts, [&](size_t column) { return place(column).has_value(); }))
      return false;
  }
  for (const size_t column : settled.texts) layout.texts.push_back(*place(column));
  for (const size_t column : settled.negatives)
    if (const auto found = place(column)) layout.negatives.push_back(*found);
  if (settled.score) layout.score = place(*settled.score);
  layout.chosen = settled.chosen;
  return true;
}

// Which columns hold what where nobody says so: all of them texts, if that can be.
void guess_roles(const FirstRows& sample, RowKind kind, RowLayout& layout, const std::string& file) {
  if (layout.names.empty()) return;
  std::vector<ColumnFacts> facts(layout.names.size());
  for (size_t row = layout.header ? 1 : 0; row < sample.rows.size(); ++row)
    for (size_t i = 0; i < sample.rows[row].cells.size(); ++i) {
      const size_t column = sample.rows[row].columns[i];
      if (column < facts.size()) facts[column].add(sample.rows[row].cells[i]);
    }
  std::vector<size_t> left;
  for (size_t column = 0; column < layout.names.size(); ++column)
    if (!contains(layout.negatives, column) && layout.score != column) left.push_back(column);
  const bool odd = std::ranges::any_of(left, [&](size_t column) { return facts[column].holds_numbers(); });
  if (odd || (kind == RowKind::Duplicates && left.size() > 2)) {
    std::vector<std::string> texts, numbers;
    for (const size_t column : left)
      (facts[column].holds_no_texts() ? numbers : texts).push_back(layout.names[column]);
    throw Error(ErrorKind::Data, "{}:1: expected to be told which columns hold the texts, found {}; say {}{}",
                file, fmt::join(layout.names, ", "),
                texts.size() > 1 ? fmt::format("--columns {},{}", texts[0], texts[1]) : "--columns A,B",
                texts.size() > 2   ? fmt::format(", or others (and --negatives-column {})", texts[2])
                : !numbers.empty() ? fmt::format(" (and --score-column {})", numbers.back())
                                   : "");
  }
  // A header tells how many there are; a list of JSON may hold any number.
  if (kind == RowKind::Duplicates || !layout.negatives.empty() || left.size() <= 2) {
    layout.texts = left;
  } else {
    layout.texts = {left[0], left[1]};
    layout.negatives.assign(left.begin() + 2, left.end());
  }
}

}  // namespace

std::string RowLayout::column(size_t number) const {
  return number < names.size() ? fmt::format("column {} ({})", number + 1, names[number])
                               : fmt::format("column {}", number + 1);
}

std::string RowLayout::description(RowKind kind) const {
  std::string text = fmt::format("{}{}", enum_name(format),
                                 format == RowFormat::JsonLines ? ""
                                 : header                       ? " with header"
                                                                : " without header");
  if (quoting == Quoting::Backslash) text += ", backslashes before quotes";
  if (preamble > 0) text += fmt::format(", after {} line(s) that are no rows", preamble);
  if (!encoding.empty()) text += ", " + encoding;
  const auto list = [&](std::string_view what, const std::vector<size_t>& columns) {
    constexpr size_t kMost = 5;
    text += fmt::format(", {} in ", what);
    for (size_t i = 0; i < std::min(kMost, columns.size()); ++i)
      text += (i > 0 ? " and " : "") + column(columns[i]);
    if (columns.size() > kMost) text += fmt::format(" and {} more", columns.size() - kMost);
  };
  if (texts.empty())
    text += kind == RowKind::Duplicates ? ", duplicates of each other in a row"
                                        : ", a question, its duplicate and negatives in a row";
  else
    list(kind == RowKind::Duplicates ? "duplicates" : "question and duplicate", texts);
  if (!negatives.empty()) list("negatives", negatives);
  if (score) list("scores", {*score});
  return text;
}

Json row_layout_to_json(const RowLayout& layout) {
  if (layout.texts.empty() && layout.negatives.empty() && !layout.score && layout.encoding.empty())
    return nullptr;
  return {{"encoding", layout.encoding},   {"names", layout.names},
          {"width", layout.width},         {"texts", layout.texts},
          {"negatives", layout.negatives}, {"score", layout.score ? Json(*layout.score) : Json(nullptr)},
          {"chosen", layout.chosen}};
}

RowLayout row_layout_from_json(const Json& json) {
  RowLayout layout;
  layout.encoding = json.value("encoding", "");
  json.at("names").get_to(layout.names);
  json.at("width").get_to(layout.width);
  json.at("texts").get_to(layout.texts);
  json.at("negatives").get_to(layout.negatives);
  json.at("chosen").get_to(layout.chosen);
  if (!json.at("score").is_null()) layout.score = json.at("score").get<size_t>();
  auto used = layout.texts;
  used.insert(used.end(), layout.negatives.begin(), layout.negatives.end());
  if (layout.score) used.push_back(*layout.score);
  for (const size_t column : used)
    if (!layout.names.empty() && column >= layout.names.size())
      throw Error(ErrorKind::Model, "expected columns that have a name, found column {}", column);
  return layout;
}

RowLayout recognise_rows(ByteStream& stream, const RowFileOptions& options, RowKind kind,
                         const RowLayout* settled) {
  const std::string& file = stream.name();
  RowLayout layout;
  const auto lines = take_sample(stream, options.table.encoding, settled ? settled->encoding : "", false);
  layout.encoding = lines.encoding;
  const auto sample = cut_sample(lines, options, layout, file);
  if (sample.rows.empty()) return layout;  // whoever reads it tells why
  layout.width = sample.width;

  // Names that somebody gave say what the first row is.
  auto wanted = options.columns;
  wanted.insert(wanted.end(), options.negatives_columns.begin(), options.negatives_columns.end());
  if (!options.score_column.empty()) wanted.push_back(options.score_column);
  if (layout.format == RowFormat::JsonLines) {
    layout.names = sample.names;
  } else {
    const auto& first = sample.rows[0].cells;
    const auto is_in_first = [&](const std::string& name) {
      return !number_in(name) && std::ranges::find(first, name) != first.end();
    };
    const auto named = [&](const std::string& item) {
      const auto parts = split_list(item);
      return is_in_first(item) || (!parts.empty() && std::ranges::all_of(parts, is_in_first));
    };
    const bool as_settled =
        settled && !settled->names.empty() &&
        std::ranges::all_of(settled->texts, [&](size_t i) { return is_in_first(settled->names[i]); });
    layout.header = options.table.header == Header::Yes ||
                    (options.table.header == Header::Auto &&
                     (as_settled || std::ranges::any_of(wanted, named) || names_columns(sample)));
    if (layout.header) layout.names = first;
  }

  layout.negatives = find_columns(options.negatives_columns, "negatives-column", layout, file);
  if (!options.score_column.empty()) {
    layout.score = find_column(options.score_column, layout);
    if (!layout.score) find_columns({options.score_column}, "score-column", layout, file);  // throws
  }
  layout.texts = find_columns(options.columns, "columns", layout, file);
  layout.chosen = !layout.texts.empty();
  for (const size_t column : layout.texts)
    if (contains(layout.negatives, column) || layout.score == column)
      throw Error(ErrorKind::Usage,
                  "--columns: expected texts' columns, found {} named for something else too",
                  layout.column(column));
  if (!wanted.empty() || !settled || !take_roles(*settled, sample, layout))
    if (layout.texts.empty()) guess_roles(sample, kind, layout, file);
  return layout;
}

}  // namespace semblance
