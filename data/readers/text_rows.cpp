#include "data/readers/text_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "data/error.h"
#include "data/text/unicode.h"

namespace semblance {
namespace {

// As many columns are looked at for what is no text.
constexpr size_t kMostColumns = 4096;

std::string_view expected(RowKind kind) {
  return kind == RowKind::Duplicates ? "texts that are duplicates of each other"
                                     : "a question, its duplicate and negatives";
}

bool contains(const std::vector<size_t>& columns, size_t column) {
  return std::ranges::find(columns, column) != columns.end();
}

// Whether a quote is opened in one cell and closed in a later one.
bool holds_quoted_tab(const std::vector<RowCells::Cell>& cells) {
  bool open = false;
  for (const auto& cell : cells) {
    const auto text = cell.text;
    if (open && text.ends_with('"') && !text.starts_with('"')) return true;
    open |= text.starts_with('"') && text.find('"', 1) == text.npos;
  }
  return false;
}

}  // namespace

TextRowReader::TextRowReader(const std::string& path, const RowFileOptions& options, RowKind kind,
                             const RowLayout* settled)
    : bad_rows_(options.table.bad_rows),
      kind_(kind),
      guesses_encoding_(options.table.encoding == kAutoEncoding) {
  ByteStream stream(path);
  name_ = stream.name();
  layout_ = recognise_rows(stream, options, kind, settled);
  report_.layout = layout_.description(kind);
  reader_ =
      make_cell_reader(std::move(stream), layout_.format, layout_.delimiter, layout_.quoting, layout_.names);
  for (int64_t skip = layout_.preamble + layout_.header; skip > 0; --skip) reader_->next(cells_);
  watches_quotes_ = options.table.quoting == Quoting::Auto && layout_.format == RowFormat::Tsv &&
                    layout_.quoting == Quoting::None;
  picks_texts_ = !std::ranges::is_sorted(layout_.texts) ||
                 (layout_.format == RowFormat::JsonLines && !layout_.texts.empty());
}

TextRowReader::Role TextRowReader::role(size_t column) {
  while (roles_.size() <= column) roles_.push_back(find_role(roles_.size()));
  return roles_[column];
}

TextRowReader::Role TextRowReader::find_role(size_t column) const {
  if (layout_.score == column) return Role::Score;
  if (contains(layout_.negatives, column)) return Role::Negative;
  if (!layout_.texts.empty()) return contains(layout_.texts, column) ? Role::Text : Role::None;
  if (kind_ == RowKind::Duplicates || !layout_.negatives.empty()) return Role::Text;
  // Behind question and duplicate there are negatives.
  return column < 2 + (layout_.score && *layout_.score < 2 ? 1 : 0) ? Role::Text : Role::Negative;
}

std::string_view TextRowReader::valid(std::string_view text, bool& repaired) {
  if (is_valid_utf8(text)) return text;
  repaired = true;
  append_valid_utf8(text, repaired_.emplace_back());
  return repaired_.back();
}

bool TextRowReader::take(TextRow& row) {
  row.texts.clear();
  row.negatives.clear();
  repaired_.clear();
  const auto refuse = [&](std::string error) {
    cells_.error = std::move(error);
    return false;
  };
  if (layout_.header && cells_.width != layout_.names.size())
    return refuse(fmt::format("expected {} columns, found {}", layout_.names.size(), cells_.width));
  if (layout_.format == RowFormat::Csv && layout_.width > 0 && cells_.width != layout_.width)
    return refuse(fmt::format("expected {} columns, found {}", layout_.width, cells_.width));
  if (layout_.header && std::ranges::equal(cells_.cells, layout_.names, {}, &RowCells::Cell::text))
    return refuse(fmt::format("expected {}, found the header again", expected(kind_)));
  if (watches_quotes_ && holds_quoted_tab(cells_.cells) && quoted_tabs_++ == 0)
    first_quoted_tab_ = cells_.line;
  bool repaired = false, scored = false;
  const bool keeps_empty = kind_ == RowKind::Ranked;
  for (const auto& cell : cells_.cells) {
    const auto what = role(cell.column);
    if (what == Role::None) continue;
    if (what == Role::Score) {
      const auto number = number_in(cell.text);
      if (!number || !std::isfinite(*number))
        return refuse(
            fmt::format("expected a number in {}, found '{:.40}'", layout_.column(cell.column), cell.text));
      row.score = *number;
      scored = true;
      continue;
    }
    if (what == Role::Text && picks_texts_) continue;
    auto& texts = what == Role::Text ? row.texts : row.negatives;
    if (!cell.text.empty() || (keeps_empty && what == Role::Text))
      texts.push_back(valid(cell.text, repaired));
  }
  for (const size_t column : picks_texts_ ? layout_.texts : std::vector<size_t>{})
    for (const auto& cell : cells_.cells)
      if (cell.column == column && (!cell.text.empty() || keeps_empty))
        row.texts.push_back(valid(cell.text, repaired));
  if (row.texts.size() < 2)
    return refuse(fmt::format("expected {}{}, found {} text(s)", expected(kind_),
                              layout_.format == RowFormat::Tsv ? " between tabs" : "", row.texts.size()));
  if (layout_.score && !scored)
    return refuse(fmt::format("expected a number in {}, found none", layout_.column(*layout_.score)));
  if (layout_.score && row.texts.size() > 2)
    return refuse(fmt::format("expected two texts beside their score, found {}", row.texts.size()));
  report_.invalid_utf8 += repaired;
  return true;
}

bool TextRowReader::next(TextRow& row) {
  while (reader_->next(cells_)) {
    if (!cells_.error.empty() || !take(row)) {
      report_.leave_out(fmt::format("{}:{}: {}", name_, cells_.line, cells_.error), bad_rows_);
      continue;
    }
    ++report_.rows;
    least_ = std::min(least_, row.texts.size());
    most_ = std::max(most_, row.texts.size());
    if (layout_.chosen) return true;
    for (const auto& cell : cells_.cells) {
      const auto what = role(cell.column);
      if ((what != Role::Text && what != Role::Negative) || cell.column >= kMostColumns) continue;
      if (cell.column >= facts_.size()) facts_.resize(cell.column + 1);
      facts_[cell.column].add(cell.text);
    }
    return true;
  }
  return false;
}

void TextRowReader::check_columns(const Notice& notice) const {
  std::string odd, texts;
  bool numbers = false;
  for (size_t column = 0; column < facts_.size(); ++column) {
    const auto& facts = facts_[column];
    const bool refused = facts.holds_numbers() || (kind_ == RowKind::Duplicates && facts.holds_no_texts());
    numbers |= refused;
    if (facts.holds_no_texts())
      odd += fmt::format("{}{} in {}", odd.empty() ? "" : ", ", facts.description(), layout_.column(column));
    else
      texts +=
          fmt::format("{}{}", texts.empty() ? "" : ",",
                      column < layout_.names.size() ? layout_.names[column] : std::to_string(column + 1));
  }
  if (odd.empty()) return;
  const auto message = fmt::format("expected texts in every column, found {}", odd);
  if (numbers)
    throw Error(ErrorKind::Data,
                "{}: {}; name those of the texts with --columns {}, and a score's with --score-column", name_,
                message, texts.empty() ? "A,B" : texts);
  notice(fmt::format("warning: {}: {}", name_, message));
}

void TextRowReader::finish(const Notice& notice) const {
  if (report_.rows == 0)
    throw Error(ErrorKind::Data, "{}: expected rows of {}, found none", name_, expected(kind_));
  if (guesses_encoding_) report_.check_encoding(name_);
  report_.tell(name_, notice);
  if (layout_.format == RowFormat::Csv && !layout_.chosen && least_ != most_ && kind_ == RowKind::Duplicates)
    notice(fmt::format("warning: {}: rows have {} to {} texts; are there delimiters in texts without quotes?",
                       name_, least_, most_));
  if (quoted_tabs_ > 0)
    notice(
        fmt::format("warning: {}: {} row(s) have quotes around a tab, the first in line {}; if they are not "
                    "those of the texts, give --quoting rfc4180",
                    name_, quoted_tabs_, first_quoted_tab_));
  check_columns(notice);
  if (kind_ == RowKind::Duplicates && !layout_.chosen && layout_.format != RowFormat::JsonLines &&
      least_ == most_ && most_ > 2 && report_.rows > 1)
    notice(
        fmt::format("warning: {0}: every row has {1} texts, which were taken for duplicates of each other; "
                    "where they are not, say --columns and --negatives-column",
                    name_, most_));
}

RowLayout read_duplicate_rows(const std::string& path, const RowFileOptions& options, const Notice& notice,
                              TextRows& rows, const RowLayout* settled,
                              const std::function<void(std::string_view)>& take) {
  TextRowReader reader(path, options, RowKind::Duplicates, settled);
  int64_t texts = rows.starts.back();
  const auto add = [&](std::string_view text) {
    ++texts;
    take ? take(text) : rows.texts.push_back(text);
  };
  for (TextRow row; reader.next(row);) {
    for (const auto text : row.texts) add(text);
    rows.negatives.push_back(texts);
    for (const auto text : row.negatives) add(text);
    rows.starts.push_back(texts);
    if (reader.layout().score) rows.scores.push_back(row.score);
  }
  reader.finish(notice);
  return reader.layout();
}

}  // namespace semblance
