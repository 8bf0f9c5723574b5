#include "data/readers/recognise.h"

#include <algorithm>
#include <optional>
#include <set>

#include "data/error.h"
#include "data/io/line_reader.h"
#include "data/readers/label_cells.h"
#include "data/readers/sample.h"

namespace semblance {
namespace {

bool has_mark(std::string_view line, std::string_view prefix) {
  return std::ranges::any_of(
      split_blanks(line), [&](auto word) { return word.size() > prefix.size() && word.starts_with(prefix); });
}

std::optional<Json> parse_object(std::string_view line) {
  auto json = json_if_any(line);
  if (!json.is_object()) return std::nullopt;
  return json;
}

// The first word of a line, which may be a label; empty where no text follows.
std::string_view first_word(std::string_view line) {
  const size_t end = line.find_first_of(" \t");
  return end == std::string_view::npos ? std::string_view() : line.substr(0, end);
}

bool looks_like_rutweetcorp(const Sample& sample) {
  if (!sample.bytes.starts_with('"')) return false;
  const auto rows = cut_rows(sample, ';', Quoting::Rfc4180);
  const auto signs = std::ranges::count_if(
      rows.regular, [](const auto& row) { return row.size() == 12 && (row[4] == "1" || row[4] == "-1"); });
  return rows.columns == 12 && signs > 0 && 2 * signs >= std::ssize(rows.regular);
}

// "1 some words": a first word drawn from few.
bool looks_like_label_text(const Sample& sample) {
  std::set<std::string_view> labels;
  for (const auto line : sample.lines) {
    if (first_word(line).empty()) return false;
    labels.insert(first_word(line));
  }
  return labels.size() <= std::max<size_t>(2, sample.lines.size() / 10) &&
         labels.size() < sample.lines.size();
}

InputFormat recognise_format(const Sample& sample, const InputOptions& options, const std::string& file) {
  const auto name = plain_name(file);
  const auto& lines = sample.lines;
  if (lines[0].starts_with('{')) {
    const auto objects =
        std::ranges::count_if(lines, [](auto line) { return parse_object(line).has_value(); });
    if (2 * objects >= std::ssize(lines)) return InputFormat::JsonLines;
    throw Error(ErrorKind::Data,
                "{}:1: expected one JSON object a line, found one that goes on; rewrite it: "
                "jq -c . FILE",
                file);
  }
  if (lines[0].starts_with('[') &&
      (name.ends_with(".json") || lines[0].size() == 1 || trim(lines[0].substr(1)).starts_with('{')))
    throw Error(ErrorKind::Data,
                "{}:1: expected one JSON object a line, found a list; rewrite it: "
                "jq -c '.[]' FILE",
                file);
  if (lines[0].starts_with('[') && json_if_any(lines[0]).is_array())
    throw Error(ErrorKind::Data,
                "{}:1: expected JSON objects or a table, found a JSON list in a line; rewrite them: "
                "jq -c '{{label: .[0], text: .[1]}}' FILE",
                file);
  const auto marked =
      std::ranges::count_if(lines, [&](auto line) { return has_mark(line, options.label_prefix); });
  const bool table = name.ends_with(".csv") || name.ends_with(".tsv") || !options.table.delimiter.empty();
  if ((options.label_prefix != InputOptions().label_prefix && marked > 0) ||
      (2 * marked >= std::ssize(lines) && !(table && best_cut(sample, options.table, ",;|").share > 0.99)))
    return InputFormat::FastText;
  if (looks_like_rutweetcorp(sample)) return InputFormat::RuTweetCorp;
  if (table || told_delimiter(sample)) return InputFormat::Csv;  // or TSV, as its rows will tell
  const auto best = best_cut(sample, options.table, "\t,;|");
  const auto format = best.delimiter == '\t' ? InputFormat::Tsv : InputFormat::Csv;
  const bool alike = best.share > 0.999 && best.rows.columns > 1;
  if (alike && (best.delimiter == '\t' || best.rows.regular.size() >= 5)) return format;
  if (looks_like_label_text(sample)) return InputFormat::LabelText;
  if (best.share > 0.9 && best.rows.regular.size() >= (alike ? 2u : 10u) && has_header(best.rows.regular, {}))
    return format;
  return InputFormat::Lines;
}

// --- the layout of the files trained on ----------------------------------------------------------------

std::vector<std::string> labels_of(const Layout& layout, const std::vector<std::string>& row) {
  std::vector<std::string> labels;
  const std::string& cell = row[layout.labels[0]];
  if (!layout.label_separator.empty())
    split_labels(cell, layout.label_separator, labels);
  else if (!parse_label_list(cell, labels))
    labels.emplace_back(trim(cell));
  return labels;
}

// The column of `first` that has the name of the layout's.
std::optional<size_t> same_name(const Layout& layout, size_t column, const std::vector<std::string>& first) {
  for (size_t i = 0; i < first.size(); ++i)
    if (trim(first[i]) == trim(layout.columns[column])) return i;
  return std::nullopt;
}

bool find_names(Layout& layout, const std::vector<std::string>& first, bool needs_labels) {
  Layout found = layout;
  found.texts.clear();
  found.labels.clear();
  for (const size_t column : layout.texts) {
    const auto at = same_name(layout, column, first);
    if (!at) return false;
    found.texts.push_back(*at);
  }
  for (const size_t column : layout.labels) {
    const auto at = same_name(layout, column, first);
    if (at) found.labels.push_back(*at);
    if (!at && needs_labels) return false;
  }
  if (found.labels.size() < layout.labels.size()) found.labels.clear();
  found.columns = first;
  layout = found;
  return true;
}

std::optional<Layout> fit_rows(Layout layout, const Sample& sample, const Expected& expected) {
  const auto parsed = cut_rows(sample, layout.delimiter, layout.quoting);
  if (parsed.regular.empty()) return std::nullopt;
  const auto& first = parsed.regular[0];
  layout.preamble = parsed.preamble;
  if (layout.header && find_names(layout, first, expected.needs_labels)) return layout;
  if (first.size() != layout.columns.size() || layout.labels.empty()) return std::nullopt;
  // By their place: the labels must be those of the training.
  int64_t known = 0;
  const auto is_known = [&](const auto& row) {
    if (layout.labels.size() > 1)
      return std::ranges::all_of(layout.labels, [&](size_t c) {
        bool flag;
        return parse_flag(row[c], flag);
      });
    const auto labels = labels_of(layout, row);
    return std::ranges::any_of(labels, expected.knows_label);
  };
  for (const auto& row : parsed.regular) known += expected.knows_label && is_known(row);
  if (expected.knows_label && 2 * known < std::ssize(parsed.regular) &&
      (!expected.needs_labels || expected.joins))
    return std::nullopt;
  layout.header = has_header(parsed.regular, layout.labels) && !(expected.knows_label && is_known(first));
  if (layout.header && layout.labels.size() == 1) layout.columns = first;
  return layout;
}

std::optional<Layout> fit(const Layout& trained, const Sample& sample, const Expected& expected) {
  const auto& lines = sample.lines;
  Layout layout = trained;
  layout.preamble = 0;
  switch (trained.format) {
    case InputFormat::FastText:
      if (std::ranges::any_of(lines, [&](auto line) { return has_mark(line, trained.label_prefix); }))
        return layout;
      return std::nullopt;
    case InputFormat::LabelText:
      if (std::ranges::all_of(lines, [&](auto line) {
            const auto word = first_word(line);
            return !word.empty() &&
                   ((expected.needs_labels && !expected.joins) || expected.knows_label(word));
          }))
        return layout;
      return std::nullopt;
    case InputFormat::JsonLines: {
      const auto object = parse_object(lines[0]);
      if (!object) return std::nullopt;
      for (const size_t column : trained.texts)
        if (!object->contains(trained.columns[column])) return std::nullopt;
      return layout;
    }
    case InputFormat::RuTweetCorp:
      if (looks_like_rutweetcorp(sample)) return layout;
      return std::nullopt;
    case InputFormat::Csv:
    case InputFormat::Tsv:
      return fit_rows(layout, sample, expected);
    case InputFormat::Auto:
    case InputFormat::Lines:
      break;
  }
  return std::nullopt;
}

// The columns of the training by their names, in a table or JSON lines of another layout.
std::optional<Layout> fit_names(const Layout& trained, const Sample& sample, const InputOptions& options,
                                const Expected& expected) {
  if (!trained.header && trained.format != InputFormat::JsonLines) return std::nullopt;
  Layout layout = trained;
  layout.preamble = 0;
  if (const auto object = parse_object(sample.lines[0])) {
    std::vector<std::string> keys;
    for (const auto& [key, value] : object->items()) keys.push_back(key);
    layout.format = InputFormat::JsonLines;
    layout.header = false;
    if (find_names(layout, keys, expected.needs_labels)) return layout;
    return std::nullopt;
  }
  const auto best = best_cut(sample, options.table, ",;\t|");
  if (best.rows.regular.empty() || !find_names(layout, best.rows.regular[0], expected.needs_labels))
    return std::nullopt;
  layout.format = best.delimiter == '\t' ? InputFormat::Tsv : InputFormat::Csv;
  layout.delimiter = best.delimiter;
  layout.quoting = best.quoting;
  layout.preamble = best.rows.preamble;
  layout.header = true;
  return layout;
}

void recognise_table(Layout& layout, const Sample& sample, InputOptions options, bool needs_labels,
                     const std::string& file) {
  if (layout.format == InputFormat::RuTweetCorp) {
    options.table.delimiter.assign(1, ';');
    if (options.table.quoting == Quoting::Auto) options.table.quoting = Quoting::Rfc4180;
  }
  const bool tsv = layout.format == InputFormat::Tsv && options.table.delimiter.empty();
  auto best = best_cut(sample, options.table,
                       tsv                                  ? "\t"
                       : plain_name(file).ends_with(".tsv") ? "\t,;|"
                                                            : ",;\t|");
  layout.delimiter = best.delimiter;
  layout.quoting = best.quoting;
  if (layout.format != InputFormat::RuTweetCorp)
    layout.format = best.delimiter == '\t' ? InputFormat::Tsv : InputFormat::Csv;
  layout.preamble = best.rows.preamble;
  auto& rows = best.rows.regular;
  // "sep=;" is two fields, as a row of two columns is.
  if (told_delimiter(sample) && layout.preamble == 0 && !rows.empty()) {
    layout.preamble = 1;
    rows.erase(rows.begin());
  }
  if (rows.empty())
    throw Error(ErrorKind::Data, "{}:1: expected rows of {}, found broken quoting; try --quoting none", file,
                enum_name(layout.format));
  layout.columns.assign(rows[0].size(), "");
  if (layout.format == InputFormat::RuTweetCorp) {
    if (rows[0].size() < 5)
      throw Error(ErrorKind::Data, "{}:1: expected the 12 columns of RuTweetCorp, found {}", file,
                  rows[0].size());
    layout.texts = {3};
    layout.labels = {4};
    return;
  }
  if (options.table.header == Header::Auto) {
    std::vector<size_t> labels;
    bool named = false;
    for (const auto* list : {&options.text_columns, &options.label_columns})
      for (const auto& column : *list) named |= is_column_name(column);
    if (!named)
      for (const auto& column : options.label_columns)
        labels.push_back(find_column("label-column", column, layout.columns, false, file + ":1"));
    layout.header = named || has_header(rows, labels);
  } else {
    layout.header = options.table.header == Header::Yes;
  }
  if (layout.header) {
    layout.columns = rows[0];
    rows.erase(rows.begin());
    std::erase_if(rows, [&](const auto& row) { return row == layout.columns; });
  }
  choose_columns(layout, rows, options, needs_labels, file + ":1");
}

std::optional<Layout> fit_as_trained(const Layout& trained, const Sample& sample, const InputOptions& options,
                                     const Expected& expected) {
  // A line of JSON can be cut into columns too.
  const bool named = trained.format != InputFormat::JsonLines && parse_object(sample.lines[0]);
  auto layout = named ? std::nullopt : fit(trained, sample, expected);
  return layout ? layout : fit_names(trained, sample, options, expected);
}

void recognise_objects(Layout& layout, const Sample& sample, const InputOptions& options, bool needs_labels,
                       const std::string& file) {
  Table rows;
  std::vector<Json> objects;
  for (const auto line : sample.lines)
    if (auto object = parse_object(line)) objects.push_back(std::move(*object));
  for (const auto& object : objects)
    for (const auto& [key, value] : object.items())
      if (std::ranges::find(layout.columns, key) == layout.columns.end()) layout.columns.push_back(key);
  if (objects.empty())
    throw Error(ErrorKind::Data, "{}:1: expected one JSON object a line, found none", file);
  for (const auto& object : objects) {
    auto& row = rows.emplace_back();
    for (const auto& column : layout.columns) {
      const auto found = object.find(column);
      row.push_back(found == object.end() || found->is_null() ? ""
                    : found->is_string()                      ? found->get<std::string>()
                                                              : found->dump());
    }
  }
  choose_columns(layout, rows, options, needs_labels, file + ":1");
}

}  // namespace

Layout recognise_layout(ByteStream& stream, const InputOptions& options, const Expected& expected) {
  const std::string& file = stream.name();
  Layout layout;
  layout.format = options.format;
  layout.label_prefix = options.label_prefix;
  layout.label_separator = options.label_separator;
  const auto sample = take_sample(stream, options.table.encoding,
                                  expected.layout ? expected.layout->encoding : "", expected.may_wait);
  layout.encoding = sample.encoding;
  if (sample.lines.empty()) {
    if (!expected.needs_labels && options.format == InputFormat::Lines) return layout;
    throw Error(ErrorKind::Data, "{}: expected texts, found an empty file", file);
  }
  if (expected.layout)
    if (auto fitting = fit_as_trained(*expected.layout, sample, options, expected)) {
      fitting->encoding = layout.encoding;
      return *fitting;
    }
  if (expected.layout && !expected.needs_labels) {
    layout.format = InputFormat::Lines;
    return layout;
  }
  const bool recognised = options.format == InputFormat::Auto;
  if (recognised) layout.format = recognise_format(sample, options, file);
  if (expected.needs_labels && layout.format == InputFormat::Lines)
    throw Error(
        ErrorKind::Data, "{}:1: expected labelled texts, found {}; name the layout with --input-format", file,
        recognised ? "lines whose label cannot be told" : "--input-format lines, which has no labels");
  if (layout.delimited()) recognise_table(layout, sample, options, expected.needs_labels, file);
  if (layout.format == InputFormat::JsonLines)
    recognise_objects(layout, sample, options, expected.needs_labels, file);
  return layout;
}

}  // namespace semblance
