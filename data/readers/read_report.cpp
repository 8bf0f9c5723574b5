#include "data/readers/read_report.h"

#include <algorithm>

#include "data/error.h"
#include "data/text/unicode.h"

namespace semblance {

void ReadReport::leave_out(const std::string& message, BadRows policy) {
  if (policy == BadRows::Error)
    throw Error(ErrorKind::Data, "{}; mend it, or leave such {}s out with --bad-rows skip", message,
                units.bad);
  if (skipped++ == 0) first_skipped = message;
}

std::string_view ReadReport::valid(std::string_view text, std::string& buffer) {
  if (is_valid_utf8(text)) return text;
  ++invalid_utf8;
  buffer.clear();
  append_valid_utf8(text, buffer);
  return buffer;
}

void ReadReport::add(const ReadReport& other) {
  rows += other.rows;
  if (skipped == 0) first_skipped = other.first_skipped;
  skipped += other.skipped;
  invalid_utf8 += other.invalid_utf8;
  empty_rows += other.empty_rows;
  unlabelled += other.unlabelled;
  if (headers == 0) first_header = other.first_header;
  headers += other.headers;
  if (combined.empty()) combined = other.combined;
}

void ReadReport::check_encoding(const std::string& file) const {
  if (invalid_utf8 > std::max<int64_t>(1, rows / 10))
    throw Error(
        ErrorKind::Data, "{}: expected UTF-8, found {} of {} {}(s) ill-formed; {}", file, invalid_utf8, rows,
        units.repaired,
        decodes ? "name the encoding with --encoding, such as windows-1251, windows-1252 or utf-16le (utf-8: "
                  "replace what is ill-formed)"
                : "convert it, such as with iconv -f windows-1251 -t utf-8");
}

void ReadReport::tell(const std::string& file, const Notice& notice) const {
  if (!layout.empty())
    notice(fmt::format("{}: read as {}, {} {}s{}", file, layout, rows, units.whole, details));
  if (skipped > 0)
    notice(fmt::format("warning: {}: left out {} bad {}(s), the first: {}", file, skipped, units.bad,
                       first_skipped));
  if (empty_rows > 0) notice(fmt::format("{}: passed over {} row(s) of empty cells", file, empty_rows));
  if (unlabelled > 0)
    notice(fmt::format("{}: left out {} text(s) of unsup/, which is no class", file, unlabelled));
  if (headers > 0)
    notice(fmt::format(
        "warning: {}: left out {} row(s) that repeat the header, the first: {}; were files joined?", file,
        headers, first_header));
  if (!combined.empty())
    notice(fmt::format(
        "warning: {}: labels such as '{}' come again and may be several in one; if they are, give "
        "--label-separator",
        file, combined));
  if (invalid_utf8 > 0)
    notice(fmt::format("warning: {}: {} {}(s) with ill-formed UTF-8, which became U+FFFD", file, invalid_utf8,
                       units.repaired));
}

}  // namespace semblance
