// Writing files so that a reader, a crash or a full disk never sees a half-written one.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace semblance {

/// A file that is being written. Throws Error(Model) on every failure, a full disk among them.
class FileWriter {
 public:
  explicit FileWriter(const std::filesystem::path& path);
  ~FileWriter();
  FileWriter(const FileWriter&) = delete;
  FileWriter& operator=(const FileWriter&) = delete;

  void write(std::string_view bytes);
  /// Writes over the first bytes, for a header that is known at the end alone.
  void rewrite_start(std::string_view bytes);
  /// Flushes to the disk and closes.
  void finish();

 private:
  [[noreturn]] void fail(const char* action) const;

  std::filesystem::path path_;
  int file_;
};

/// Replaces `path` by `content` in one step: a temporary file beside it, flushed, then renamed over it.
void write_file_atomically(const std::filesystem::path& path, std::string_view content);

/// A file made in one step from any number of writes: under a temporary name until `commit`, and removed if
/// that is never reached.
class AtomicFile {
 public:
  explicit AtomicFile(const std::filesystem::path& path);
  ~AtomicFile();

  FileWriter& writer() { return writer_; }
  void commit();

 private:
  std::filesystem::path path_, temporary_;
  FileWriter writer_;
  bool committed_ = false;
};

/// Makes renames within `folder` durable.
void flush_folder(const std::filesystem::path& folder);

/// Creates `folder` and its parents. Throws Error(Model).
void make_folder(const std::filesystem::path& folder);

/// Renames `from` to `to`. Throws Error(Model).
void rename_path(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace semblance
