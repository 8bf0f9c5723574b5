#include "data/io/block_reader.h"

#include <algorithm>

#include "data/error.h"

namespace semblance {
namespace {

// How much of a full block is to be delivered.
size_t cut(std::string_view text) {
  for (const std::string_view ends : {std::string_view("\n"), std::string_view(" \t\r")})
    if (const auto last = text.find_last_of(ends); last != std::string_view::npos) return last + 1;
  size_t end = text.size();
  while (end > text.size() - 4 && (text[end - 1] & 0xC0) == 0x80) --end;
  return end > 1 && (text[end - 1] & 0x80) != 0 ? end - 1 : text.size();
}

}  // namespace

bool BlockReader::next(std::string_view& block) {
  buffer_.erase(0, delivered_);
  size_t filled = buffer_.size();
  buffer_.resize(kBlockBytes);
  while (filled < kBlockBytes && !at_end_) {
    const size_t read = stream_.read({buffer_.data() + filled, kBlockBytes - filled});
    at_end_ = read == 0;
    filled += read;
  }
  buffer_.resize(filled);
  delivered_ = at_end_ ? filled : cut(buffer_);
  block = std::string_view(buffer_).substr(0, delivered_);
  position_ += static_cast<int64_t>(delivered_);
  return delivered_ > 0;
}

void BlockReader::skip(int64_t bytes) {
  std::string passed(std::min(kBlockBytes, static_cast<size_t>(bytes)), '\0');
  for (int64_t left = bytes; left > 0;) {
    const size_t read = stream_.read({passed.data(), std::min(passed.size(), static_cast<size_t>(left))});
    if (read == 0)
      throw Error(ErrorKind::Data, "{}: expected {} more bytes, found the end; has it changed?", name(),
                  left);
    left -= static_cast<int64_t>(read);
  }
  position_ += bytes;
}

}  // namespace semblance
