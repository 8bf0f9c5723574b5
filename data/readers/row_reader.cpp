#include "data/readers/row_reader.h"

#include <algorithm>
#include <cstring>

#include "data/error.h"

namespace semblance {
namespace {

constexpr size_t kLongestRow = size_t{256} << 20;
constexpr size_t kNone = std::string_view::npos;

bool is_blank(std::string_view text, char delimiter) {
  return std::ranges::all_of(text, [&](char c) { return (c == ' ' || c == '\t') && c != delimiter; });
}

}  // namespace

bool Row::is_empty() const {
  return std::ranges::all_of(fields, [](std::string_view field) { return is_blank(field, '\0'); });
}

RowReader::RowReader(ByteStream stream, char delimiter, Quoting quoting)
    : in_(std::move(stream)), delimiter_(delimiter), quoting_(quoting) {}

bool RowReader::fill() {
  if (in_.outgrows(kLongestRow))
    throw Error(ErrorKind::Data,
                "{}:{}: expected a row of at most {} MB, found a longer one; is a quote not closed?", name(),
                line_, kLongestRow >> 20);
  lf_ = kNone;
  return in_.fill();
}

// The first LF or CR, or `in_.end`.
size_t RowReader::line_end(size_t from) {
  const auto find = [&](char c, size_t end) {
    const void* at = std::memchr(in_.bytes.data() + from, c, end - from);
    return at ? static_cast<size_t>(static_cast<const char*>(at) - in_.bytes.data()) : end;
  };
  // Where lines end with CR alone, the next LF may be far: it is looked for once.
  if (lf_ < from || lf_ > in_.end) lf_ = find('\n', in_.end);
  return find('\r', lf_);
}

size_t RowReader::after_line_end(size_t at) const {
  if (at == in_.end) return at;
  return at + (in_.bytes[at] == '\r' && at + 1 < in_.end && in_.bytes[at + 1] == '\n' ? 2 : 1);
}

void RowReader::cut_plain(size_t end, Row& row) const {
  std::string_view line(in_.bytes.data() + in_.begin, end - in_.begin);
  while (true) {
    const size_t at = line.find(delimiter_);
    row.fields.push_back(line.substr(0, at));
    if (at == kNone) return;
    line.remove_prefix(at + 1);
  }
}

// The row at `in_.begin`, which has quotes or backslashes; `end` is where its line end is.
RowReader::Parsed RowReader::parse_quoted(Row& row, size_t& end) {
  const std::string_view bytes(in_.bytes.data(), in_.end);
  const bool escapes = quoting_ == Quoting::Backslash;
  const auto ends_field = [&](char c) { return c == delimiter_ || c == '\n' || c == '\r'; };
  unquoted_.clear();
  ends_.clear();
  row.loose = false;
  for (size_t i = in_.begin;; ++i) {  // field by field
    const size_t first = i;
    bool open = i < in_.end && bytes[i] == '"', closed = false;
    i += open;
    while (i < in_.end) {
      // What needs no look comes in one piece.
      size_t stop = i;
      if (open && !escapes)
        stop = std::min(bytes.find('"', i), in_.end);
      else
        while (stop < in_.end && !(escapes && bytes[stop] == '\\') &&
               !(open ? bytes[stop] == '"' : ends_field(bytes[stop])))
          ++stop;
      if (closed && !open && stop > i) {
        // A quote that another line's closes in the middle of a field was never an opening one.
        if (!row.loose && bytes.substr(first, i - first).find_first_of("\n\r") != kNone)
          return Parsed::Unclosed;
        row.loose = true;
      }
      // Who escapes quotes escapes all of them.
      if (escapes && !open && bytes.substr(i, stop - i).find('"') != kNone) row.loose = true;
      unquoted_.append(bytes, i, stop - i);
      i = stop;
      if (i == in_.end) break;
      if (escapes && bytes[i] == '\\') {
        if (i + 1 == in_.end) break;
        unquoted_ += bytes[i + 1];
        i += 2;
      } else if (!open) {
        break;  // at the field's end
      } else {
        if (i + 1 == in_.end && !in_.at_end) return Parsed::NeedsMore;
        open = i + 1 < in_.end && bytes[i + 1] == '"';
        if (open) unquoted_ += '"';
        closed = !open;
        i += open ? 2 : 1;
      }
    }
    if (i >= in_.end && !in_.at_end) return Parsed::NeedsMore;
    if (escapes && i + 1 == in_.end && bytes[i] == '\\') ++i;  // a last backslash escapes nothing
    if (open) return Parsed::Unclosed;
    ends_.push_back(unquoted_.size());
    if (i >= in_.end || bytes[i] != delimiter_) {
      end = i;
      break;
    }
  }
  size_t start = 0;
  for (const size_t stop : ends_) {
    row.fields.push_back(std::string_view(unquoted_).substr(start, stop - start));
    start = stop;
  }
  return Parsed::Row;
}

bool RowReader::next(Row& row) {
  row.error.clear();
  row.loose = false;
  while (true) {
    if (in_.begin == in_.end && !fill()) return false;
    size_t end = line_end(in_.begin);
    // A CR at the end of the buffer may be the first half of CRLF.
    while ((end == in_.end || (in_.bytes[end] == '\r' && end + 1 == in_.end)) && !in_.at_end) {
      const size_t searched = end - in_.begin;
      fill();
      end = line_end(in_.begin + searched);
    }
    if (std::exchange(at_start_, false) &&
        std::string_view(in_.bytes.data() + in_.begin, in_.end - in_.begin).starts_with("\xEF\xBB\xBF")) {
      in_.begin += 3;
      continue;
    }
    const std::string_view line(in_.bytes.data() + in_.begin, end - in_.begin);
    if (is_blank(line, delimiter_)) {
      if (in_.begin == in_.end) return false;
      in_.begin = after_line_end(end);
      ++line_;
      continue;
    }
    row.fields.clear();
    row.line = line_;
    const bool marks = (quoting_ != Quoting::None && line.find('"') != kNone) ||
                       (quoting_ == Quoting::Backslash && line.find('\\') != kNone);
    if (!marks) {
      cut_plain(end, row);
      in_.begin = after_line_end(end);
      ++line_;
      return true;
    }
    const size_t first_line = end - in_.begin;
    Parsed parsed;
    while ((parsed = parse_quoted(row, end)) == Parsed::NeedsMore) fill();
    if (parsed == Parsed::Unclosed) {
      row.error =
          "expected a closing quote, found none that ends the field (--quoting none takes quotes as they "
          "are)";
      row.fields.clear();
      end = in_.begin + first_line;
      ++line_;
    } else {
      const std::string_view read(in_.bytes.data() + in_.begin, end - in_.begin);
      for (size_t i = 0; i < read.size(); ++i)
        line_ += read[i] == '\n' || (read[i] == '\r' && (i + 1 == read.size() || read[i + 1] != '\n'));
      ++line_;
    }
    // The fields of a row with quotes are in `unquoted_`, so that the buffer may move.
    if (end + 1 == in_.end && in_.bytes[end] == '\r' && !in_.at_end) {
      const size_t length = end - in_.begin;
      fill();
      end = in_.begin + length;
    }
    in_.begin = after_line_end(end);
    return true;
  }
}

}  // namespace semblance
