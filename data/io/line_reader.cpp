#include "data/io/line_reader.h"

#include <algorithm>
#include <cstring>

#include "data/error.h"

namespace semblance {

LineReader::LineReader(ByteStream stream, size_t max_line_bytes)
    : in_(std::move(stream)), max_line_bytes_(max_line_bytes) {}

bool LineReader::fill() {
  if (in_.outgrows(max_line_bytes_))
    throw Error(ErrorKind::Data,
                "{}:{}: expected a line of at most {} MB, found a longer one; is it a text file?", name(),
                line_number_ + 1, max_line_bytes_ >> 20);
  return in_.fill();
}

bool LineReader::has_buffered_line() const {
  return std::memchr(in_.bytes.data() + in_.begin, line_end_, in_.end - in_.begin) != nullptr;
}

bool LineReader::next(std::string_view& line) {
  size_t searched = 0;
  while (true) {
    const char* start = in_.bytes.data() + in_.begin;
    const size_t size = in_.end - in_.begin;
    const auto* newline = static_cast<const char*>(std::memchr(start + searched, line_end_, size - searched));
    if (newline == nullptr) {
      searched = size;
      if (fill()) continue;
      if (in_.begin == in_.end) return false;
      line = {in_.bytes.data() + in_.begin, in_.end - in_.begin};
      in_.begin = in_.end;
    } else {
      line = {start, static_cast<size_t>(newline - start)};
      in_.begin += line.size() + 1;
    }
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (++line_number_ == 1 && line.starts_with("\xEF\xBB\xBF")) line.remove_prefix(3);
    return true;
  }
}

std::vector<std::string_view> split_blanks(std::string_view line) {
  std::vector<std::string_view> parts;
  size_t end = 0;
  for (size_t begin; (begin = line.find_first_not_of(" \t", end)) != std::string_view::npos;) {
    end = std::min(line.find_first_of(" \t", begin), line.size());
    parts.push_back(line.substr(begin, end - begin));
  }
  return parts;
}

}  // namespace semblance
