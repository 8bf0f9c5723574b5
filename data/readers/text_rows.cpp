#include "data/readers/text_rows.h"

#include <fmt/format.h>

#include "data/error.h"

namespace semblance {

TextRowReader::TextRowReader(const std::string& path, BadRows bad_rows, std::string expected)
    : lines_(ByteStream(path)), bad_rows_(bad_rows), expected_(std::move(expected)) {}

bool TextRowReader::next(std::vector<std::string_view>& fields, bool dropping_empty) {
  for (std::string_view line; lines_.next(line);) {
    if (line.empty()) continue;
    line = report_.valid(line, clean_);
    fields.clear();
    for (size_t begin = 0; begin <= line.size();) {
      const size_t end = std::min(line.find('\t', begin), line.size());
      if (end > begin || !dropping_empty) fields.push_back(line.substr(begin, end - begin));
      begin = end + 1;
    }
    if (fields.size() >= 2) {
      ++report_.rows;
      return true;
    }
    report_.leave_out(fmt::format("{}:{}: expected {} between tabs, found {} field(s)", lines_.name(),
                                  lines_.line_number(), expected_, fields.size()),
                      bad_rows_);
  }
  return false;
}

void TextRowReader::finish(const Notice& notice) const {
  if (report_.rows == 0)
    throw Error(ErrorKind::Data, "{}: expected rows of {}, found none", lines_.name(), expected_);
  report_.tell(lines_.name(), notice);
}

int64_t read_duplicate_rows(const std::string& path, BadRows bad_rows, const Notice& notice, TextRows& rows) {
  TextRowReader reader(path, bad_rows, "texts that are duplicates of each other");
  for (std::vector<std::string_view> fields; reader.next(fields, /*dropping_empty=*/true);) {
    for (const auto field : fields) rows.texts.push_back(field);
    rows.starts.push_back(rows.texts.size());
  }
  reader.finish(notice);
  return reader.report().skipped;
}

}  // namespace semblance
