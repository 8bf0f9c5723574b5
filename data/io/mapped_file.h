// A file that is used as it lies: mapped and not read.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace semblance {

/// May be used by any number of threads at once.
class MappedFile {
 public:
  /// Throws Error(Model) for what cannot be opened or mapped, an empty file among it.
  explicit MappedFile(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::string_view bytes() const { return {start_, size_}; }
  /// Copies the `size` bytes from `at` on past the mapping, so that they do not stay in memory. Throws
  /// Error(Model).
  void read(size_t at, size_t size, void* out) const;
  /// Bytes that were read through the mapping need not stay in memory.
  void release(size_t at, size_t size) const;

 private:
  std::string path_;
  int file_;
  const char* start_;
  size_t size_;
};

/// Whether a file begins with `magic`; false for what cannot be opened, and for pipes, which are not read.
bool begins_with(const std::string& path, std::string_view magic);

}  // namespace semblance
