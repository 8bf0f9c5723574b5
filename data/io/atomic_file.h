// Writing files so that a reader, a crash or a full disk never sees a half-written one, and so that nothing
// is destroyed that is no file.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "data/io/temporary_path.h"

namespace semblance {

/// A file that is being written, by one thread at a time. Throws Error(Model) on every failure, a full disk
/// among them.
class FileWriter {
 public:
  /// Makes the file, or empties it.
  explicit FileWriter(const std::filesystem::path& path);
  /// Takes over an open descriptor; `name` is for errors, "-" that of standard output, which fails as below.
  FileWriter(int file, std::string name);
  ~FileWriter();
  FileWriter(FileWriter&&) noexcept;
  FileWriter& operator=(FileWriter&&) = delete;

  void write(std::string_view bytes);
  /// Puts `bytes` in the place of the first `size`, which are no fewer: for a header that is known at the end
  /// alone. What follows moves up. The descriptor must be open for reading too.
  void replace_start(size_t size, std::string_view bytes);
  /// Appends all that was written here to `to`. The descriptor must be open for reading too.
  void copy_to(FileWriter& to) const;
  /// Flushes to the disk and closes. A second call does nothing.
  void finish();

  int descriptor() const { return file_; }

 private:
  [[noreturn]] void fail(const char* action) const;

  std::string name_;
  int file_;
};

/// Says why (in errno) standard output cannot be written: throws Error(Internal), or ends the program by
/// SIGPIPE as others end whose reader has left.
[[noreturn]] void fail_standard_output();

/// Replaces `path` by `content` in one step, as AtomicFile does. Here what is there must be a file, or
/// nothing: anything else is Error(Model).
void write_file_atomically(const std::filesystem::path& path, std::string_view content);

/// When bytes reach what cannot be replaced: all of them at `commit`, until which a spool without a name
/// takes them, or each as it is written, for those who wait for the next.
enum class Delivery { AtCommit, AsWritten };

/// What a path names, made of any number of writes.
///
/// A file, or nothing so far: replaced in one step by `commit`, and left as it is if that is never reached.
/// Until then the bytes are in a TemporaryPath beside it, so that each of several writers writes a whole file
/// and the last one's stays. The mode of the earlier file is kept, and its owner where that is permitted; a
/// new one has what the umask leaves of 0666. Links are followed and stay; a link to nothing makes the file.
///
/// Anything else, such as a device or a pipe: written to, never replaced. "-" is standard output, which fails
/// as above; all other failures are Error(Model), a folder and links in a circle among them.
class AtomicFile {
 public:
  explicit AtomicFile(const std::filesystem::path& path, Delivery delivery = Delivery::AtCommit);

  /// `replace_start` is for Delivery::AtCommit alone.
  FileWriter& writer() { return *writer_; }
  void commit();

 private:
  std::filesystem::path target_;                   // what is replaced; empty: nothing is
  std::unique_ptr<TemporaryPath> temporary_;       // until it has the target's name
  std::unique_ptr<FileWriter> writer_, receiver_;  // receiver_: what the spool's bytes go to in the end
};

}  // namespace semblance
