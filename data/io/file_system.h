// The system calls by which files are written, read and listed, behind one narrow interface: a test puts
// another in its place and makes any of them fail (tests/reliability).
#pragma once

#include <fcntl.h>
#include <sys/types.h>

#include <cstddef>
#include <string>
#include <vector>

namespace semblance {

/// Each as the system's call of its name: a negative result means that errno tells why. None is ever
/// interrupted by a signal. Any number of threads may use it at once.
class FileSystem {
 public:
  virtual ~FileSystem() = default;

  virtual int open(const char* path, int flags, mode_t mode = 0);
  virtual ssize_t read(int file, void* to, size_t size);
  virtual ssize_t pread(int file, void* to, size_t size, off_t at);
  virtual ssize_t write(int file, const void* from, size_t size);
  virtual ssize_t pwrite(int file, const void* from, size_t size, off_t at);
  virtual int ftruncate(int file, off_t size);
  virtual int fsync(int file);
  virtual int close(int file);
  virtual int rename(const char* from, const char* to);
  virtual int unlink(const char* path);
  virtual int mkdir(const char* path, mode_t mode);
  virtual int rmdir(const char* path);
  /// What stands in a folder, in any order, "." and ".." left out.
  virtual int list(const char* path, std::vector<std::string>& names);
};

/// The one in use: the system's own, but while a StandInFileSystem lives.
FileSystem& file_system();

/// For tests: all files go through `other` as long as this lives, whichever thread asks.
class StandInFileSystem {
 public:
  explicit StandInFileSystem(FileSystem& other);
  ~StandInFileSystem();
  StandInFileSystem(const StandInFileSystem&) = delete;
  StandInFileSystem& operator=(const StandInFileSystem&) = delete;
};

}  // namespace semblance
