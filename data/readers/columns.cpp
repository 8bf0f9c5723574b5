#include "data/readers/columns.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <set>
#include <span>

#include "data/error.h"
#include "data/readers/column_facts.h"
#include "data/readers/label_cells.h"

namespace semblance {
namespace {

constexpr std::string_view kTextNames[] = {
    "text",    "texts",    "review",  "sentence", "tweet",       "title",     "comment",
    "message", "body",     "content", "document", "description", "question",  "post",
    "summary", "headline", "subject", "abstract", "query",       "utterance", "phrase",
    "article", "caption",  "snippet", "email",    "sms",         "news"};
constexpr std::string_view kLabelNames[] = {"label",      "labels",    "class", "classes", "category",
                                            "categories", "sentiment", "tag",   "tags",    "target",
                                            "targets",    "intent",    "topic", "topics",  "polarity",
                                            "emotion",    "emotions",  "genre", "genres"};
// What a word of a name makes of it: "text_id" is no text.
constexpr std::string_view kOtherNames[] = {"id",   "ids",  "count", "length", "date",     "time",      "url",
                                            "link", "lang", "score", "number", "language", "confidence"};

// "reviewText" and "Review Text" are review, text.
std::vector<std::string> words_of(std::string_view name) {
  std::vector<std::string> words;
  bool open = false, was_lower = false;
  for (const char c : name) {
    const bool upper = c >= 'A' && c <= 'Z', lower = c >= 'a' && c <= 'z';
    if (!upper && !lower) {
      open = false;
      continue;
    }
    if (!open || (upper && was_lower)) words.emplace_back();
    words.back() += static_cast<char>(upper ? c - 'A' + 'a' : c);
    open = true;
    was_lower = lower;
  }
  return words;
}

bool is_among(std::string_view word, std::span<const std::string_view> names) {
  return std::ranges::find(names, word) != names.end();
}

bool is_name(std::string_view cell, std::span<const std::string_view> names) {
  const auto words = words_of(trim(cell));
  return words.size() == 1 && words[0].size() == trim(cell).size() && is_among(words[0], names);
}

bool has_name(std::string_view cell, std::span<const std::string_view> names) {
  const auto words = words_of(cell);
  const auto some = [&](auto list) {
    return std::ranges::any_of(words, [&](const auto& word) { return is_among(word, list); });
  };
  return some(names) && !some(std::span(kOtherNames));
}

// "nan" may be a word.
bool is_number(std::string_view cell) {
  cell = trim(cell);
  return !cell.empty() && cell.back() >= '0' && cell.back() <= '9' && number_in(cell);
}

// What a column's cells are like.
struct ColumnKind {
  int64_t filled = 0, words = 0, numbers = 0, bytes = 0;
  size_t different = 0;
  bool running = true;  // 0, 1, 2, … or 1, 2, 3, …
  bool flags = true;    // 0 and 1 alone

  /// Few values, which come again.
  bool is_categorical() const {
    return filled >= 2 && different * 2 <= static_cast<size_t>(filled) + 1 && different < size_t(filled);
  }
  bool is_text() const { return filled > 0 && !is_categorical() && words >= 2 * filled && numbers == 0; }
};

ColumnKind look_at(const Table& rows, size_t column) {
  ColumnKind kind;
  std::set<std::string_view> values;
  int64_t first = -1;
  for (size_t r = 0; r < rows.size(); ++r) {
    const std::string_view cell = trim(rows[r][column]);
    int64_t number = -1;
    const bool whole =
        std::from_chars(cell.data(), cell.data() + cell.size(), number).ptr == cell.data() + cell.size();
    if (r == 0) first = number;
    kind.running &= whole && !cell.empty() && first >= 0 && number == first + static_cast<int64_t>(r);
    bool flag;
    kind.flags &= parse_flag(cell, flag);
    if (cell.empty()) continue;
    ++kind.filled;
    kind.numbers += is_number(cell);
    kind.bytes += static_cast<int64_t>(cell.size());
    kind.words += 1 + std::ranges::count(cell, ' ');
    values.insert(cell);
  }
  kind.different = values.size();
  kind.running &= rows.size() >= 3;
  return kind;
}

std::string names_of(const Layout& layout, const std::vector<size_t>& columns) {
  std::vector<std::string> names;
  for (const size_t column : columns) names.push_back(layout.column_name(column));
  return fmt::format("{}", fmt::join(names, ", "));
}

// Those of `columns` whose whole name is known, or where there is none, those with a known word in it.
std::vector<size_t> named(const Layout& layout, const std::vector<size_t>& columns,
                          std::span<const std::string_view> names, bool parts) {
  std::vector<size_t> found;
  for (const size_t column : columns)
    if (is_name(layout.columns[column], names)) found.push_back(column);
  if (found.empty() && parts)
    for (const size_t column : columns)
      if (has_name(layout.columns[column], names)) found.push_back(column);
  return found;
}

void remove(std::vector<size_t>& columns, const std::vector<size_t>& others) {
  std::erase_if(columns, [&](size_t column) { return std::ranges::find(others, column) != others.end(); });
}

}  // namespace

bool is_column_name(const std::string& option) {
  return option.find_first_not_of("0123456789") != std::string::npos;
}

std::optional<size_t> column_of(const std::string& wanted, const std::vector<std::string>& names,
                                size_t width) {
  for (size_t i = 0; i < names.size(); ++i)  // first: names may be numbers
    if (names[i] == wanted || trim(names[i]) == wanted) return i;
  size_t number = 0;
  const auto* end = wanted.data() + wanted.size();
  if (std::from_chars(wanted.data(), end, number).ptr != end || number < 1) return std::nullopt;
  if (width > 0 && number > width) return std::nullopt;
  return number - 1;
}

size_t find_column(std::string_view option, const std::string& wanted,
                   const std::vector<std::string>& columns, bool named, const std::string& place) {
  if (const auto column = column_of(wanted, named ? columns : std::vector<std::string>(), columns.size()))
    return *column;
  if (!is_column_name(wanted))
    throw Error(ErrorKind::Data, "{}: expected a column {} (--{}), found {} columns", place, wanted, option,
                columns.size());
  if (!named)
    throw Error(ErrorKind::Data, "{}: expected a header with a column '{}' (--{}), but --header no was given",
                place, wanted, option);
  throw Error(ErrorKind::Data, "{}: expected a column '{}' (--{}), found: {}", place, wanted, option,
              fmt::join(columns, ", "));
}

bool has_header(const Table& rows, const std::vector<size_t>& labels) {
  if (rows.empty()) return false;
  const auto& first = rows[0];
  Table others;  // a header that comes again, where files were joined, is no value
  for (size_t r = 1; r < rows.size(); ++r)
    if (rows[r] != first) others.push_back(rows[r]);
  const bool known_text = std::ranges::any_of(first, [](const auto& c) { return is_name(c, kTextNames); });
  const bool known_label = std::ranges::any_of(first, [](const auto& c) { return is_name(c, kLabelNames); });
  if (known_text && known_label) return true;
  bool unlike = false;
  for (size_t c = 0; c < first.size(); ++c) {
    if (!labels.empty() && std::ranges::find(labels, c) == labels.end()) continue;
    const auto cell = trim(first[c]);
    if (cell.empty()) continue;
    const auto kind = look_at(others, c);
    if (kind.filled >= 2 && kind.numbers == kind.filled) {
      if (is_number(cell)) return false;
      unlike |= cell != "nan" && cell != "NaN";
    } else if (kind.is_categorical()) {
      if (std::ranges::any_of(others, [&](const auto& row) { return trim(row[c]) == cell; })) return false;
      unlike = true;
    }
  }
  return unlike || known_text || known_label;
}

void choose_columns(Layout& layout, const Table& rows, const InputOptions& options, bool needs_labels,
                    const std::string& place) {
  const bool names = layout.header || layout.format == InputFormat::JsonLines;
  auto& columns = layout.columns;
  const auto add = [](std::vector<size_t>& chosen, size_t column) {
    if (std::ranges::find(chosen, column) == chosen.end()) chosen.push_back(column);
  };
  for (const auto& wanted : options.text_columns)
    add(layout.texts, find_column("text-column", wanted, columns, names, place));
  for (const auto& wanted : options.label_columns)
    // Texts to be labelled may come in a file that lacks the column.
    if (needs_labels || std::ranges::find(columns, wanted) != columns.end())
      add(layout.labels, find_column("label-column", wanted, columns, names, place));
  for (const size_t column : layout.texts)
    if (needs_labels && std::ranges::find(layout.labels, column) != layout.labels.end())
      throw Error(ErrorKind::Data, "{}: expected different columns for text and label, found column {} twice",
                  place, column + 1);

  // What is left to choose from: not what is always empty, nor the numbers of the rows.
  std::vector<ColumnKind> kinds;
  std::vector<size_t> left;
  for (size_t c = 0; c < columns.size(); ++c) {
    kinds.push_back(look_at(rows, c));
    const auto name = trim(columns[c]);
    const bool unnamed = name.empty() || name.starts_with("Unnamed:");
    const bool idle = kinds[c].filled == 0 && !rows.empty();
    if (columns.size() <= 2 || !((unnamed || is_name(name, kOtherNames)) && (idle || kinds[c].running)))
      left.push_back(c);
  }
  remove(left, layout.texts);
  remove(left, layout.labels);
  const bool pair = left.size() + layout.texts.size() + layout.labels.size() == 2;

  std::vector<size_t> labels = layout.labels, texts = layout.texts;
  if (labels.empty()) labels = named(layout, left, kLabelNames, !pair);
  if (labels.size() > 1 && layout.labels.empty()) {
    if (needs_labels)
      throw Error(ErrorKind::Data, "{}: expected one column of labels, found {}; choose with --label-column",
                  place, names_of(layout, labels));
    labels.clear();
  }
  remove(left, labels);
  if (texts.empty()) {
    texts = named(layout, left, kTextNames, !pair);
    // A column of sentences is a text by any name; only "text" says that the others are none.
    const bool certain = texts.size() == 1 && words_of(columns[texts[0]]) == std::vector<std::string>{"text"};
    if (!certain && left.size() > 1 && !(pair && needs_labels))
      for (const size_t c : left)
        if (kinds[c].is_text()) add(texts, c);
    if (texts.size() > 1)
      throw Error(
          ErrorKind::Data,
          "{}: expected one column of texts, found {}; choose with --text-column (given several times, "
          "columns are joined)",
          place, names_of(layout, texts));
  }
  remove(left, texts);
  // Of two columns, one is what the other is not.
  if (texts.empty() && left.size() == 1 && (!labels.empty() || !needs_labels)) std::swap(texts, left);
  if (labels.empty() && left.size() == 1 && !texts.empty() && pair) std::swap(labels, left);
  if (texts.empty() && labels.empty() && left.size() == 2) {
    const auto &a = kinds[left[0]], &b = kinds[left[1]];
    const bool label_first =
        a.is_categorical() != b.is_categorical() ? a.is_categorical() : b.bytes >= a.bytes;
    texts.push_back(left[label_first ? 1 : 0]);
    labels.push_back(left[label_first ? 0 : 1]);
  }
  if (texts.empty() || (needs_labels && labels.empty())) {
    std::vector<size_t> flags;
    for (size_t c = 0; c < columns.size(); ++c)
      if (kinds[c].flags && !rows.empty()) flags.push_back(c);
    const auto hint =
        flags.size() > 1 && labels.empty()
            ? fmt::format("; {} hold 0 and 1: give --label-column for each", names_of(layout, flags))
            : std::string();
    throw Error(
        ErrorKind::Data,
        "{}: expected --text-column{} to choose among {} columns{}, found neither a known name nor the "
        "option{}",
        place, needs_labels ? " and --label-column" : "", columns.size(),
        names ? fmt::format(" ({})", fmt::join(columns, ", ")) : "", hint);
  }
  layout.texts = texts;
  layout.labels = labels;
}

}  // namespace semblance
