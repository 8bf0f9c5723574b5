#include "data/io/line_reader.h"

#include <algorithm>
#include <cstring>

#include "data/error.h"

namespace semblance {

LineReader::LineReader(ByteStream stream, size_t max_line_bytes)
    : stream_(std::move(stream)), max_line_bytes_(max_line_bytes), buffer_(1 << 18) {}

bool LineReader::fill() {
  if (at_end_) return false;
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ == buffer_.size()) {
    if (end_ >= max_line_bytes_)
      throw Error(ErrorKind::Data,
                  "{}:{}: expected a line of at most {} MB, found a longer one; is it a text file?", name(),
                  line_number_ + 1, max_line_bytes_ >> 20);
    buffer_.resize(buffer_.size() * 2);
  }
  const size_t n = stream_.read({buffer_.data() + end_, buffer_.size() - end_});
  at_end_ = n == 0;
  end_ += n;
  return n > 0;
}

bool LineReader::has_buffered_line() const {
  return std::memchr(buffer_.data() + begin_, line_end_, end_ - begin_) != nullptr;
}

bool LineReader::next(std::string_view& line) {
  size_t searched = 0;
  while (true) {
    const char* start = buffer_.data() + begin_;
    const size_t size = end_ - begin_;
    const auto* newline = static_cast<const char*>(std::memchr(start + searched, line_end_, size - searched));
    if (newline == nullptr) {
      searched = size;
      if (fill()) continue;
      if (begin_ == end_) return false;
      line = {buffer_.data() + begin_, end_ - begin_};
      begin_ = end_;
    } else {
      line = {start, static_cast<size_t>(newline - start)};
      begin_ += line.size() + 1;
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
