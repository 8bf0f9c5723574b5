#include "data/readers/read_report.h"

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

void ReadReport::tell(const std::string& file, const Notice& notice) const {
  if (!layout.empty())
    notice(fmt::format("{}: read as {}, {} {}s{}", file, layout, rows, units.whole, details));
  if (skipped > 0)
    notice(fmt::format("warning: {}: left out {} bad {}(s), the first: {}", file, skipped, units.bad,
                       first_skipped));
  if (invalid_utf8 > 0)
    notice(fmt::format("warning: {}: {} {}(s) with ill-formed UTF-8, which became U+FFFD", file, invalid_utf8,
                       units.repaired));
}

}  // namespace semblance
