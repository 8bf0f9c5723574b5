// A text in blocks of whole lines, for work that takes fixed memory whatever the input's size.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "data/io/byte_stream.h"

namespace semblance {

/// To be used by one thread at a time.
class BlockReader {
 public:
  static constexpr size_t kBlockBytes = size_t{1} << 20;

  explicit BlockReader(ByteStream stream) : stream_(std::move(stream)) {}

  /// The next lines, of at most kBlockBytes together, until the next call; false at the end. A longer line is
  /// cut after a blank or, where it has none, after a character. Blocks depend on the bytes before them
  /// alone. Throws Error(Data) as ByteStream does.
  bool next(std::string_view& block);
  /// Passes over the next `bytes` of the input; to be called before the first `next`. Throws Error(Data).
  void skip(int64_t bytes);

  /// Bytes of the input (of its content, where it is gzipped) that were delivered or skipped.
  int64_t position() const { return position_; }
  const std::string& name() const { return stream_.name(); }

 private:
  ByteStream stream_;
  std::string buffer_;
  size_t delivered_ = 0;  // of the buffer
  int64_t position_ = 0;
  bool at_end_ = false;
};

}  // namespace semblance
