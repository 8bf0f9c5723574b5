#include "data/readers/label_cells.h"

#include <algorithm>

#include "data/text/unicode.h"

namespace semblance {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";

// The quoted item at the start of `rest`, without its quotes and backslashes.
bool take_quoted(std::string_view& rest, std::string& item) {
  const char quote = rest[0];
  for (size_t i = 1; i < rest.size(); ++i) {
    if (rest[i] == quote) {
      rest.remove_prefix(i + 1);
      return true;
    }
    if (rest[i] == '\\' && i + 1 < rest.size()) ++i;
    item += rest[i];
  }
  return false;
}

}  // namespace

std::string_view trim(std::string_view text) {
  const auto is_space = [](std::string_view character) {
    size_t position = 0;
    return is_valid_utf8(character) && character_properties(decode_utf8(character, position)).space;
  };
  const auto length = [](unsigned char first) {
    return first < 0x80 ? 1u : first < 0xE0 ? 2u : first < 0xF0 ? 3u : 4u;
  };
  while (!text.empty()) {
    const size_t n = std::min<size_t>(length(static_cast<unsigned char>(text[0])), text.size());
    if (!is_space(text.substr(0, n))) break;
    text.remove_prefix(n);
  }
  while (!text.empty()) {
    size_t start = text.size() - 1;
    while (start > 0 && text.size() - start < 4 && (static_cast<unsigned char>(text[start]) & 0xC0) == 0x80)
      --start;
    if (!is_space(text.substr(start))) break;
    text.remove_suffix(text.size() - start);
  }
  return text;
}

bool parse_label_list(std::string_view cell, std::vector<std::string>& items) {
  cell = trim(cell);
  const auto within = [&](char first, char last) { return cell.starts_with(first) && cell.ends_with(last); };
  // "(none)" is a label; tuples and sets have commas or quotes in them.
  const bool bracketed = cell.size() > 1 && (within('[', ']') || ((within('(', ')') || within('{', '}')) &&
                                                                  cell.find_first_of(",'\"") != cell.npos));
  if (!bracketed) return false;
  cell = cell.substr(1, cell.size() - 2);
  const auto skip_blanks = [&] {
    cell.remove_prefix(std::min(cell.find_first_not_of(kBlanks), cell.size()));
  };
  bool commas = false;  // between the first two items: a plain item may then hold blanks
  for (skip_blanks(); !cell.empty();) {
    std::string item;
    if (cell[0] == '\'' || cell[0] == '"') {
      if (!take_quoted(cell, item)) return false;
    } else {
      commas |= cell.find(',') != std::string_view::npos;
      const size_t end = std::min(commas ? cell.find(',') : cell.find_first_of(kBlanks), cell.size());
      item = trim(cell.substr(0, end));
      if (item.empty()) return false;
      cell.remove_prefix(end);
    }
    items.push_back(std::move(item));
    const bool blank = !cell.empty() && kBlanks.find(cell[0]) != std::string_view::npos;
    skip_blanks();
    if (cell.empty()) return true;
    if (cell[0] == ',') {
      commas = true;
      cell.remove_prefix(1);
      skip_blanks();
    } else if (commas || !blank) {
      return false;
    }
  }
  return true;
}

void split_labels(std::string_view cell, std::string_view separator, std::vector<std::string>& items) {
  for (size_t begin = 0; begin <= cell.size();) {
    const size_t end = std::min(cell.find(separator, begin), cell.size());
    if (const auto part = trim(cell.substr(begin, end - begin)); !part.empty()) items.emplace_back(part);
    begin = end + separator.size();
  }
}

bool parse_flag(std::string_view cell, bool& flag) {
  std::string lower(trim(cell));
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  flag = lower == "1" || lower == "1.0" || lower == "true";
  return flag || lower == "0" || lower == "0.0" || lower == "false";
}

}  // namespace semblance
