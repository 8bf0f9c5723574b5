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
    : stream_(std::move(stream)), delimiter_(delimiter), quoting_(quoting) {}

bool RowReader::fill() {
  if (at_end_) return false;
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ == buffer_.size()) {
    if (end_ >= kLongestRow)
      throw Error(ErrorKind::Data,
                  "{}:{}: expected a row of at most {} MB, found a longer one; is a quote not closed?",
                  name(), line_, kLongestRow >> 20);
    buffer_.resize(buffer_.size() * 2);
  }
  lf_ = kNone;
  const size_t n = stream_.read({buffer_.data() + end_, buffer_.size() - end_});
  at_end_ = n == 0;
  end_ += n;
  return n > 0;
}

// The first LF or CR, or `end_`.
size_t RowReader::line_end(size_t from) {
  const auto find = [&](char c, size_t end) {
    const void* at = std::memchr(buffer_.data() + from, c, end - from);
    return at ? static_cast<size_t>(static_cast<const char*>(at) - buffer_.data()) : end;
  };
  // Where lines end with CR alone, the next LF may be far: it is looked for once.
  if (lf_ < from || lf_ > end_) lf_ = find('\n', end_);
  return find('\r', lf_);
}

size_t RowReader::after_line_end(size_t at) const {
  if (at == end_) return at;
  return at + (buffer_[at] == '\r' && at + 1 < end_ && buffer_[at + 1] == '\n' ? 2 : 1);
}

void RowReader::cut_plain(size_t end, Row& row) const {
  std::string_view line(buffer_.data() + begin_, end - begin_);
  while (true) {
    const size_t at = line.find(delimiter_);
    row.fields.push_back(line.substr(0, at));
    if (at == kNone) return;
    line.remove_prefix(at + 1);
  }
}

// The row at `begin_`, which has quotes or backslashes; `end` is where its line end is.
RowReader::Parsed RowReader::parse_quoted(Row& row, size_t& end) {
  const std::string_view bytes(buffer_.data(), end_);
  const bool escapes = quoting_ == Quoting::Backslash;
  const auto ends_field = [&](char c) { return c == delimiter_ || c == '\n' || c == '\r'; };
  unquoted_.clear();
  ends_.clear();
  row.loose = false;
  for (size_t i = begin_;; ++i) {  // field by field
    const size_t first = i;
    bool open = i < end_ && bytes[i] == '"', closed = false;
    i += open;
    while (i < end_) {
      // What needs no look comes in one piece.
      size_t stop = i;
      if (open && !escapes)
        stop = std::min(bytes.find('"', i), end_);
      else
        while (stop < end_ && !(escapes && bytes[stop] == '\\') &&
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
      if (i == end_) break;
      if (escapes && bytes[i] == '\\') {
        if (i + 1 == end_) break;
        unquoted_ += bytes[i + 1];
        i += 2;
      } else if (!open) {
        break;  // at the field's end
      } else {
        if (i + 1 == end_ && !at_end_) return Parsed::NeedsMore;
        open = i + 1 < end_ && bytes[i + 1] == '"';
        if (open) unquoted_ += '"';
        closed = !open;
        i += open ? 2 : 1;
      }
    }
    if (i >= end_ && !at_end_) return Parsed::NeedsMore;
    if (escapes && i + 1 == end_ && bytes[i] == '\\') ++i;  // a last backslash escapes nothing
    if (open) return Parsed::Unclosed;
    ends_.push_back(unquoted_.size());
    if (i >= end_ || bytes[i] != delimiter_) {
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
    if (begin_ == end_ && !fill()) return false;
    size_t end = line_end(begin_);
    // A CR at the end of the buffer may be the first half of CRLF.
    while ((end == end_ || (buffer_[end] == '\r' && end + 1 == end_)) && !at_end_) {
      const size_t searched = end - begin_;
      fill();
      end = line_end(begin_ + searched);
    }
    if (std::exchange(at_start_, false) &&
        std::string_view(buffer_.data() + begin_, end_ - begin_).starts_with("\xEF\xBB\xBF")) {
      begin_ += 3;
      continue;
    }
    const std::string_view line(buffer_.data() + begin_, end - begin_);
    if (is_blank(line, delimiter_)) {
      if (begin_ == end_) return false;
      begin_ = after_line_end(end);
      ++line_;
      continue;
    }
    row.fields.clear();
    row.line = line_;
    const bool marks = (quoting_ != Quoting::None && line.find('"') != kNone) ||
                       (quoting_ == Quoting::Backslash && line.find('\\') != kNone);
    if (!marks) {
      cut_plain(end, row);
      begin_ = after_line_end(end);
      ++line_;
      return true;
    }
    const size_t first_line = end - begin_;
    Parsed parsed;
    while ((parsed = parse_quoted(row, end)) == Parsed::NeedsMore) fill();
    if (parsed == Parsed::Unclosed) {
      row.error =
          "expected a closing quote, found none that ends the field (--quoting none takes quotes as they "
          "are)";
      row.fields.clear();
      end = begin_ + first_line;
      ++line_;
    } else {
      const std::string_view read(buffer_.data() + begin_, end - begin_);
      for (size_t i = 0; i < read.size(); ++i)
        line_ += read[i] == '\n' || (read[i] == '\r' && (i + 1 == read.size() || read[i + 1] != '\n'));
      ++line_;
    }
    // The fields of a row with quotes are in `unquoted_`, so that the buffer may move.
    if (end + 1 == end_ && buffer_[end] == '\r' && !at_end_) {
      const size_t length = end - begin_;
      fill();
      end = begin_ + length;
    }
    begin_ = after_line_end(end);
    return true;
  }
}

}  // namespace semblance
