#include "data/readers/row_layout.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "data/error.h"
#include "data/readers/cell_reader.h"
#include "data/readers/column_facts.h"

namespace semblance {
namespace {

// As many rows are looked at, or fewer where they are long.
constexpr size_t kSampleRows = 200, kFewRows = 20;
constexpr size_t kFirstSample = size_t{1} << 16, kLargeSample = size_t{1} << 20,
                 kLargestSample = size_t{1} << 26;  // bytes
constexpr size_t kLongestName = 64;

struct SampleRow {
  std::vector<std::string> cells;
  std::vector<size_t> columns;  // of the cells
  size_t width = 0;
};

struct Sample {
  std::vector<SampleRow> rows;
  std::vector<std::string> names;  // keys of JSON
  bool broken = false;             // whether some row cannot be used

  // The number of fields that all rows have, or 0.
  size_t width() const {
    for (const auto& row : rows)
      if (row.width != rows[0].width) return 0;
    return rows.empty() ? 0 : rows[0].width;
  }
};

// The rows that `bytes` have in this layout. The last one is not whole where the bytes are `cut`.
Sample rows_of(const std::string& name, std::string_view bytes, bool cut, RowFormat format, char delimiter,
               bool quoted) {
  Sample sample;
  const auto reader =
      make_cell_reader(ByteStream::from_memory(name, std::string(bytes)), format, delimiter, quoted, {});
  for (RowCells row; sample.rows.size() <= kSampleRows && reader->next(row);) {
    sample.broken |= !row.error.empty();
    if (!row.error.empty()) continue;
    auto& kept = sample.rows.emplace_back();
    kept.width = row.width;
    for (const auto& cell : row.cells) {
      kept.cells.emplace_back(cell.text);
      kept.columns.push_back(cell.column);
    }
  }
  if (cut && sample.rows.size() <= kSampleRows && sample.rows.size() > 1) sample.rows.pop_back();
  sample.names = reader->names();
  return sample;
}

bool ends_with(std::string name, std::initializer_list<std::string_view> endings) {
  for (char& c : name)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  if (name.ends_with(".gz")) name.resize(name.size() - 3);
  return std::ranges::any_of(endings, [&](auto ending) { return name.ends_with(ending); });
}

std::optional<char> given_delimiter(const std::string& delimiter) {
  if (delimiter.empty()) return std::nullopt;
  if (delimiter == "\\t" || delimiter == "tab") return '\t';
  if (delimiter.size() != 1 || std::string_view("\n\r\"").find(delimiter[0]) != std::string_view::npos)
    throw Error(ErrorKind::Usage, "--delimiter: expected one ASCII character or 'tab', found '{}'",
                delimiter);
  return delimiter[0];
}

RowFormat format_of(const RowFileOptions& options, const std::string& name, std::string_view bytes) {
  if (options.format != RowFormat::Auto) return options.format;
  if (const auto delimiter = given_delimiter(options.delimiter))
    return *delimiter == '\t' ? RowFormat::Tsv : RowFormat::Csv;
  if (ends_with(name, {".csv"})) return RowFormat::Csv;
  if (ends_with(name, {".tsv"})) return RowFormat::Tsv;
  const auto line = bytes.substr(0, bytes.find('\n'));
  const bool json = ends_with(name, {".jsonl", ".ndjson", ".json"}) ||
                    ((line.starts_with('{') || line.starts_with('[')) && Json::accept(line));
  return json ? RowFormat::JsonLines : RowFormat::Tsv;
}

// The one that cuts all rows into the same, largest number of fields.
char delimiter_of(const std::string& name, std::string_view bytes, bool cut) {
  char best = ',';
  size_t most = 1;
  for (const char candidate : {',', ';', '\t', '|'}) {
    const auto width = rows_of(name, bytes, cut, RowFormat::Csv, candidate, true).width();
    if (width > most) {
      most = width;
      best = candidate;
    }
  }
  return best;
}

// Whether quotes in tab-separated rows are those of RFC 4180, not of the texts: they cut all rows, and alike
// where lines alone do not, or they stand around every text, or double those within.
bool is_quoted(const Sample& plain, const Sample& quoted) {
  if (quoted.broken || quoted.rows.empty()) return false;
  if (quoted.width() > 1 && plain.width() == 0) return true;
  bool all = true, doubled = false;
  for (const auto& row : plain.rows)
    for (const auto& cell : row.cells) {
      const bool is = cell.size() > 1 && cell.starts_with('"') && cell.ends_with('"');
      all &= is || cell.empty() || number_in(cell).has_value();
      doubled |= is && cell.find("\"\"", 1) < cell.size() - 2;
    }
  return (all && !plain.rows.empty() && plain.rows[0].cells[0].starts_with('"')) || doubled;
}

// Whether `cell` may be the name of a column.
bool is_name(std::string_view cell, bool of_one_word) {
  if (cell.empty() || cell.size() > kLongestName || number_in(cell)) return false;
  if (cell.find_first_of("?!.,;:\n") != std::string_view::npos) return false;
  return std::ranges::count(cell, ' ') <= (of_one_word ? 0 : 2);
}

// Whether the first row names the columns: it is unlike those below it. They hold numbers where it has a
// name, or texts of several words or classes where it has single ones that never come again.
bool has_header(const Sample& sample) {
  const auto& rows = sample.rows;
  if (rows.size() < 2 || sample.width() < 2) return false;
  const auto& first = rows[0].cells;
  if (std::set(first.begin(), first.end()).size() < first.size()) return false;
  bool single_words = true;
  for (size_t column = 0; column < first.size(); ++column) {
    if (!is_name(first[column], false)) return false;
    ColumnFacts below;
    int64_t long_ones = 0;
    bool comes_again = false;
    for (size_t row = 1; row < rows.size(); ++row) {
      const auto& cell = rows[row].cells[column];
      below.add(cell);
      long_ones += cell.find(' ') != std::string::npos;
      comes_again |= cell == first[column];
    }
    if (below.holds_numbers()) return true;
    single_words &= is_name(first[column], true) && !comes_again &&
                    (2 * long_ones >= static_cast<int64_t>(rows.size() - 1) || below.may_hold_labels());
  }
  return single_words;
}

// The column that `wanted` names or numbers; nothing if it is none of this file.
std::optional<size_t> find_column(const std::string& wanted, const RowLayout& layout) {
  const auto found = std::ranges::find(layout.names, wanted);
  if (found != layout.names.end()) return static_cast<size_t>(found - layout.names.begin());
  size_t number = 0;
  const auto* end = wanted.data() + wanted.size();
  if (std::from_chars(wanted.data(), end, number).ptr != end || wanted.empty()) return std::nullopt;
  const size_t width = layout.names.empty() ? layout.width : layout.names.size();
  if (number < 1 || (width > 0 && number > width)) return std::nullopt;
  return number - 1;
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
bool take_roles(const RowLayout& settled, const Sample& sample, RowLayout& layout) {
  const auto place = [&](size_t column) -> std::optional<size_t> {
    if (settled.names.empty()) return column;
    const auto& names = layout.names;
    const auto found = std::ranges::find(names, settled.names[column]);
    return found == names.end() ? std::nullopt : std::optional<size_t>(found - names.begin());
  };
  if (settled.names.empty()) {
    if (!layout.names.empty() || settled.width == 0 || settled.width != sample.width()) return false;
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
void guess_roles(const Sample& sample, RowKind kind, RowLayout& layout, const std::string& file) {
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
  if (layout.texts.empty() && layout.negatives.empty() && !layout.score) return nullptr;
  return {{"names", layout.names},
          {"width", layout.width},
          {"texts", layout.texts},
          {"negatives", layout.negatives},
          {"score", layout.score ? Json(*layout.score) : Json(nullptr)},
          {"chosen", layout.chosen}};
}

RowLayout row_layout_from_json(const Json& json) {
  RowLayout layout;
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
  Sample sample;
  for (size_t size = kFirstSample;; size *= 4) {
    std::string_view bytes = stream.peek(size);
    const bool cut = bytes.size() == size;
    if (bytes.starts_with("\xEF\xBB\xBF")) bytes.remove_prefix(3);
    bytes.remove_prefix(std::min(bytes.find_first_not_of("\r\n"), bytes.size()));
    layout.format = format_of(options, file, bytes);
    layout.quoted = options.quoting == Quoting::Auto ? layout.format == RowFormat::Csv
                                                     : options.quoting == Quoting::Rfc4180;
    const auto given = given_delimiter(options.delimiter);
    layout.delimiter = given                             ? *given
                       : layout.format == RowFormat::Csv ? delimiter_of(file, bytes, cut)
                                                         : '\t';
    sample = rows_of(file, bytes, cut, layout.format, layout.delimiter, layout.quoted);
    if (layout.format == RowFormat::Tsv && options.quoting == Quoting::Auto) {
      auto quoted = rows_of(file, bytes, cut, layout.format, layout.delimiter, true);
      layout.quoted = is_quoted(sample, quoted);
      if (layout.quoted) sample = std::move(quoted);
    }
    const auto rows = sample.rows.size();
    if (!cut || rows > kSampleRows || (size >= kLargeSample && rows >= kFewRows) || size >= kLargestSample)
      break;
  }
  if (sample.rows.empty()) return layout;  // whoever reads it tells why
  layout.width = sample.width();

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
    layout.header = options.header == Header::Yes ||
                    (options.header == Header::Auto &&
                     (as_settled || std::ranges::any_of(wanted, named) || has_header(sample)));
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
