// Bytes of a file, of standard input ("-"), or of either one gzipped (recognised by its first two bytes);
// text in another encoding than UTF-8 comes as UTF-8.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "data/error.h"

namespace semblance {

enum class Compression { Detect, None };

/// The system's refusal to open or to read, which says nothing of what the file holds.
class ReadError : public Error {
 public:
  /// `action`: opened, read; `reason`: as in errno.
  ReadError(const std::string& name, const char* action, int reason);
  int reason() const { return reason_; }

 private:
  int reason_;
};

/// To be used by one thread at a time.
class ByteStream {
 public:
  /// Opens `path`; "-" is standard input. With Detect, what is gzipped is inflated, text that begins with a
  /// byte-order mark of UTF-16 or UTF-32 is decoded, and other containers (zip, parquet, …) are refused by
  /// name once they are read. Throws Error(Data) if it cannot be opened or is a folder.
  explicit ByteStream(const std::string& path, Compression compression = Compression::Detect);
  /// The bytes of `content`; `name` is for messages.
  static ByteStream from_memory(std::string name, std::string content);
  ~ByteStream();
  ByteStream(ByteStream&&) noexcept;

  /// Fills a prefix of `buffer` with the bytes at hand and returns its length; 0 at the end of the input. It
  /// waits for the first byte only, so a slow pipe is served as its lines come.
  /// Throws Error(Data) on a read error and on a damaged or truncated gzip stream.
  size_t read(std::span<char> buffer);

  /// The first `size` bytes (fewer only if the input ends before), which `read` will deliver again.
  /// To be called before the first `read`. Throws as `read` does.
  std::string_view peek(size_t size);
  /// The first bytes, as far as `enough(bytes)` wants them: it waits for no more than that.
  std::string_view peek_until(const std::function<bool(std::string_view)>& enough);
  /// Decodes what comes from now on, and what was peeked at. Throws Error(Usage) for an unknown encoding;
  /// does nothing where a byte-order mark has told another one.
  void decode(const std::string& encoding);

  /// Whether the input is gzipped; known once it was read or peeked at.
  bool is_gzip() const;

  /// The path as given, or "<stdin>": the name used in error messages.
  const std::string& name() const { return name_; }

 private:
  struct State;
  ByteStream();
  size_t read_on(std::span<char> buffer);
  size_t read_bytes(std::span<char> buffer);

  std::string name_;
  std::string peeked_;
  size_t peeked_served_ = 0;
  std::unique_ptr<State> state_;
};

/// All of a small file. Throws Error(Data) where it is longer than `most_bytes`, before more is read.
std::string read_file(const std::string& path, uint64_t most_bytes);

}  // namespace semblance
