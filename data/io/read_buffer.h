// What was read of a stream and is yet to be cut into lines or rows: one piece of memory, which grows until a
// whole one lies in it.
#pragma once

#include <cstring>
#include <utility>
#include <vector>

#include "data/io/byte_stream.h"

namespace semblance {

struct ReadBuffer {
  explicit ReadBuffer(ByteStream source) : stream(std::move(source)) {}

  /// Reads on behind `end`; what is unread moves to the front. False at the end of the stream.
  bool fill() {
    if (at_end) return false;
    if (begin > 0) {
      std::memmove(bytes.data(), bytes.data() + begin, end - begin);
      end -= begin;
      begin = 0;
    }
    if (end == bytes.size()) bytes.resize(bytes.size() * 2);
    const size_t n = stream.read({bytes.data() + end, bytes.size() - end});
    at_end = n == 0;
    end += n;
    return n > 0;
  }
  /// Whether to fill it makes it larger than `most` bytes.
  bool outgrows(size_t most) const { return !at_end && begin == 0 && end == bytes.size() && end >= most; }

  ByteStream stream;
  std::vector<char> bytes = std::vector<char>(size_t{1} << 18);
  size_t begin = 0, end = 0;  ///< the unread bytes
  bool at_end = false;
};

}  // namespace semblance
