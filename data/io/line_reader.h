// Lines of a ByteStream: LF, CRLF or a last line without either; a UTF-8 byte-order mark at the start is
// dropped.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "data/io/byte_stream.h"
#include "data/io/read_buffer.h"

namespace semblance {

/// To be used by one thread at a time.
class LineReader {
 public:
  /// A line over `max_line_bytes` is an error: an endless line must not take the machine's memory.
  explicit LineReader(ByteStream stream, size_t max_line_bytes = size_t{256} << 20);

  /// The next line without its ending, or false at the end. The view holds until the next call.
  /// Throws Error(Data) naming file and line.
  bool next(std::string_view& line);

  /// Lines end with a CR alone, as old Macs wrote them. To be called before the first `next`.
  void end_lines_with_cr() { line_end_ = '\r'; }

  /// 1-based number of the line returned last.
  int64_t line_number() const { return line_number_; }
  /// Whether a further whole line lies in memory: if not, `next` may wait for the writer of a pipe.
  bool has_buffered_line() const;
  const std::string& name() const { return in_.stream.name(); }

 private:
  bool fill();

  ReadBuffer in_;
  size_t max_line_bytes_;
  char line_end_ = '\n';
  int64_t line_number_ = 0;
};

/// The parts of `line` between blanks and tabs.
std::vector<std::string_view> split_blanks(std::string_view line);

}  // namespace semblance
