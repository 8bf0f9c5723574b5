#include "data/readers/text_rows.h"

#include <fmt/format.h>

#include "data/error.h"
#include "data/text/unicode.h"

namespace semblance {

TextRowReader::TextRowReader(const std::string& path, BadRows bad_rows, std::string expected)
    : lines_(ByteStream(path)), bad_rows_(bad_rows), expected_(std::move(expected)) {}

bool TextRowReader::next(std::vector<std::string_view>& fields, bool dropping_empty) {
  for (std::string_view line; lines_.next(line);) {
    if (line.empty()) continue;
    const bool is_valid = is_valid_utf8(line);
    if (!is_valid) {
      clean_.clear();
      append_valid_utf8(line, clean_);
      line = clean_;
    }
    fields.clear();
    for (size_t begin = 0; begin <= line.size();) {
      const size_t end = std::min(line.find('\t', begin), line.size());
      if (end > begin || !dropping_empty) fields.push_back(line.substr(begin, end - begin));
      begin = end + 1;
    }
    if (fields.size() >= 2) {
      ++rows_;
      invalid_ += !is_valid;
      return true;
    }
    const auto message = fmt::format("{}:{}: expected {} between tabs, found {} field(s)", lines_.name(),
                                     lines_.line_number(), expected_, fields.size());
    if (bad_rows_ == BadRows::Error)
      throw Error(ErrorKind::Data, "{}; --bad-rows skip leaves such rows out", message);
    if (skipped_++ == 0) first_skipped_ = message;
  }
  return false;
}

void TextRowReader::finish(const std::function<void(const std::string&)>& notice) const {
  if (rows_ == 0)
    throw Error(ErrorKind::Data, "{}: expected rows of {}, found none", lines_.name(), expected_);
  if (skipped_ > 0)
    notice(fmt::format("warning: {}: left out {} bad row(s), the first: {}", lines_.name(), skipped_,
                       first_skipped_));
  if (invalid_ > 0)
    notice(fmt::format("warning: {}: {} row(s) with ill-formed UTF-8, which became U+FFFD", lines_.name(),
                       invalid_));
}

int64_t read_duplicate_rows(const std::string& path, BadRows bad_rows,
                            const std::function<void(const std::string&)>& notice, TextRows& rows) {
  TextRowReader reader(path, bad_rows, "texts that are duplicates of each other");
  for (std::vector<std::string_view> fields; reader.next(fields, /*dropping_empty=*/true);) {
    for (const auto field : fields) rows.texts.push_back(field);
    rows.starts.push_back(rows.texts.size());
  }
  reader.finish(notice);
  return reader.skipped();
}

}  // namespace semblance
