#include "data/readers/layout.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>
#include <vector>

#include "data/error.h"
#include "data/readers/row_reader.h"

namespace semblance {
namespace {

constexpr std::string_view kTextNames[] = {"text",     "review",  "sentence", "tweet",   "title",
                                           "comment",  "message", "body",     "content", "document",
                                           "question", "post",    "texts"};
constexpr std::string_view kLabelNames[] = {"label", "labels", "class",  "category", "sentiment", "tag",
                                            "tags",  "target", "intent", "topic",    "polarity"};

std::string lower_ascii(std::string_view text) {
  std::string lower(text);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return lower;
}

bool is_among(std::string_view name, std::span<const std::string_view> names) {
  return std::ranges::find(names, lower_ascii(name)) != names.end();
}

std::vector<std::string_view> whole_lines(std::string_view sample, bool cut) {
  std::vector<std::string_view> lines;
  while (!sample.empty()) {
    const size_t end = sample.find('\n');
    if (end == std::string_view::npos && cut && !lines.empty()) break;
    auto line = sample.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.empty()) lines.push_back(line);
    sample.remove_prefix(end == std::string_view::npos ? sample.size() : end + 1);
  }
  return lines;
}

std::vector<std::string_view> cells_of(std::string_view line, char delimiter) {
  std::vector<std::string_view> cells;
  bool quoted = false;
  size_t start = 0;
  for (size_t i = 0; i <= line.size(); ++i) {
    if (i < line.size() && line[i] == '"') quoted = !quoted;
    if (i == line.size() || (line[i] == delimiter && !quoted)) {
      auto cell = line.substr(start, i - start);
      if (cell.size() >= 2 && cell.front() == '"' && cell.back() == '"')
        cell = cell.substr(1, cell.size() - 2);
      cells.push_back(cell);
      start = i + 1;
    }
  }
  return cells;
}

// The first row is parsed, not its first line: the text in it may hold line breaks.
bool looks_like_rutweetcorp(std::string_view sample) {
  if (!sample.starts_with('"')) return false;
  Row row;
  return make_row_reader(ByteStream::from_memory("", std::string(sample)), ';', true)->next(row) &&
         row.fields.size() == 12 && (row.fields[4] == "1" || row.fields[4] == "-1");
}

// "1 some words": a first word drawn from few.
bool looks_like_label_text(const std::vector<std::string_view>& lines) {
  std::set<std::string_view> labels;
  for (const auto line : lines) {
    const size_t end = line.find_first_of(" \t");
    if (end == std::string_view::npos || end == 0) return false;
    labels.insert(line.substr(0, end));
  }
  return labels.size() <= std::max<size_t>(2, lines.size() / 10) && labels.size() < lines.size();
}

InputFormat recognise_format(std::string name, std::string_view sample,
                             const std::vector<std::string_view>& lines) {
  if (name.ends_with(".gz")) name.resize(name.size() - 3);
  name = lower_ascii(name);
  const auto all = [&](auto&& test) { return std::ranges::all_of(lines, test); };
  if (all([](auto line) { return line.starts_with("__label__"); })) return InputFormat::FastText;
  if (looks_like_rutweetcorp(sample)) return InputFormat::RuTweetCorp;
  if (name.ends_with(".csv")) return InputFormat::Csv;
  if (name.ends_with(".tsv")) return InputFormat::Tsv;
  const auto tabs = std::ranges::count(lines[0], '\t');
  if (tabs > 0 && all([&](auto line) { return std::ranges::count(line, '\t') == tabs; }))
    return InputFormat::Tsv;
  if (looks_like_label_text(lines)) return InputFormat::LabelText;
  for (const char delimiter : {',', ';'}) {
    const auto cells = cells_of(lines[0], delimiter);
    if (cells.size() > 1 && std::ranges::any_of(cells, [](auto c) { return is_among(c, kTextNames); }))
      return InputFormat::Csv;
  }
  return InputFormat::Lines;
}

char delimiter_of(const InputOptions& options, InputFormat format, std::string_view first_line) {
  if (!options.delimiter.empty()) {
    const std::string& d = options.delimiter;
    if (d == "\\t" || d == "tab") return '\t';
    if (d.size() != 1 || d[0] == '\n' || d[0] == '\r' || d[0] == '"')
      throw Error(ErrorKind::Usage, "--delimiter: expected one ASCII character or 'tab', found '{}'", d);
    return d[0];
  }
  if (format == InputFormat::Tsv) return '\t';
  if (format == InputFormat::RuTweetCorp) return ';';
  const auto columns = [&](char d) { return cells_of(first_line, d).size(); };
  char best = ',';
  for (const char candidate : {';', '\t'})
    if (columns(candidate) > columns(best)) best = candidate;
  return best;
}

// The column that `wanted` names or numbers.
size_t find_column(const std::string& option, const std::string& wanted,
                   const std::vector<std::string>& first_row, bool header, const std::string& file) {
  size_t number = 0;
  const auto* end = wanted.data() + wanted.size();
  if (std::from_chars(wanted.data(), end, number).ptr == end) {
    if (number < 1 || number > first_row.size())
      throw Error(ErrorKind::Data, "{}:1: expected a column {} (--{}), found {} columns", file, wanted,
                  option, first_row.size());
    return number - 1;
  }
  std::string names;
  for (size_t i = 0; header && i < first_row.size(); ++i) {
    if (first_row[i] == wanted) return i;
    names += (i ? ", " : "") + first_row[i];
  }
  if (!header)
    throw Error(ErrorKind::Data,
                "{}:1: expected a header with a column '{}' (--{}), but --header no was given", file, wanted,
                option);
  throw Error(ErrorKind::Data, "{}:1: expected a column '{}' (--{}), found: {}", file, wanted, option, names);
}

}  // namespace

Layout recognise_layout(ByteStream& stream, const InputOptions& options, bool needs_labels) {
  Layout layout;
  layout.format = options.format;
  const std::string& file = stream.name();
  std::string_view sample = stream.peek(kLayoutSample);
  const bool cut = sample.size() == kLayoutSample;
  if (sample.starts_with("\xEF\xBB\xBF")) sample.remove_prefix(3);
  const auto lines = whole_lines(sample, cut);
  if (lines.empty()) throw Error(ErrorKind::Data, "{}: expected texts, found an empty file", file);
  const bool recognised = options.format == InputFormat::Auto;
  if (recognised) layout.format = recognise_format(file, sample, lines);
  if (needs_labels && layout.format == InputFormat::Lines)
    throw Error(
        ErrorKind::Data, "{}:1: expected labelled texts, found {}; name the layout with --input-format", file,
        recognised ? "lines whose label cannot be told" : "--input-format lines, which has no labels");
  layout.description = enum_name(layout.format);
  if (!layout.delimited()) return layout;

  layout.delimiter = delimiter_of(options, layout.format, lines[0]);
  layout.quoted = options.quoting == Quoting::Auto ? layout.format != InputFormat::Tsv
                                                   : options.quoting == Quoting::Rfc4180;
  // The first rows as the reader itself will see them.
  std::vector<std::vector<std::string>> rows;
  {
    auto reader =
        make_row_reader(ByteStream::from_memory(file, std::string(sample)), layout.delimiter, layout.quoted);
    for (Row row; rows.size() < 50 && reader->next(row);)
      if (row.error.empty()) rows.emplace_back(row.fields.begin(), row.fields.end());
  }
  if (rows.empty())
    throw Error(ErrorKind::Data, "{}:1: expected rows of {}, found broken quoting; try --quoting none", file,
                layout.description);
  const auto& first = rows[0];
  layout.columns = first.size();
  if (layout.format == InputFormat::RuTweetCorp) {
    layout.text_column = 3;
    layout.label_column = 4;
    layout.has_label_column = true;
    if (layout.columns < 5)
      throw Error(ErrorKind::Data, "{}:1: expected the 12 columns of RuTweetCorp, found {}", file,
                  layout.columns);
    return layout;
  }
  const auto is_name = [](const std::string& column) {
    return !column.empty() && column.find_first_not_of("0123456789") != std::string::npos;
  };
  layout.header =
      options.header == Header::Auto
          ? is_name(options.text_column) || is_name(options.label_column) ||
                std::ranges::any_of(first,
                                    [](const auto& cell) {
                                      return is_among(cell, kTextNames) || is_among(cell, kLabelNames);
                                    })
          : options.header == Header::Yes;

  std::optional<size_t> text, label;
  if (!options.text_column.empty())
    text = find_column("text-column", options.text_column, first, layout.header, file);
  // Texts to be labelled may come in a file that lacks the column.
  if (!options.label_column.empty() &&
      (needs_labels || std::ranges::find(first, options.label_column) != first.end()))
    label = find_column("label-column", options.label_column, first, layout.header, file);
  for (size_t i = 0; layout.header && i < first.size(); ++i) {
    if (!text && label != i && is_among(first[i], kTextNames)) text = i;
    if (!label && text != i && is_among(first[i], kLabelNames)) label = i;
  }
  if (first.size() == 1 && !needs_labels) text = 0;
  if (first.size() == 2) {
    if (text && !label) label = 1 - *text;
    if (label && !text) text = 1 - *label;
    if (!text && !label) {  // the longer column is the text
      size_t length[2] = {0, 0};
      for (size_t r = layout.header; r < rows.size(); ++r)
        for (size_t c = 0; c < std::min<size_t>(2, rows[r].size()); ++c) length[c] += rows[r][c].size();
      text = length[1] >= length[0] ? 1 : 0;
      label = 1 - *text;
    }
  }
  if (!text || (needs_labels && !label))
    throw Error(ErrorKind::Data,
                "{}:1: expected --text-column{} to choose among {} columns, found neither a known name "
                "nor the option",
                file, needs_labels ? " and --label-column" : "", first.size());
  if (needs_labels && text == label)
    throw Error(ErrorKind::Data, "{}:1: expected different columns for text and label, found column {} twice",
                file, *text + 1);
  layout.text_column = *text;
  layout.has_label_column = label.has_value();
  layout.label_column = label.value_or(0);
  const auto name = [&](size_t column) {
    return layout.header ? fmt::format("column {} ({})", column + 1, first[column])
                         : fmt::format("column {}", column + 1);
  };
  layout.description +=
      fmt::format(" {} header, text in {}", layout.header ? "with" : "without", name(*text));
  if (label) layout.description += fmt::format(", label in {}", name(*label));
  return layout;
}

}  // namespace semblance
