// The file system with one fault in it, for whatever lies under one folder.
//
// Each call that touches that folder is a step; a test runs a job once for each of its steps and each fault,
// with the fault at that step. A crash freezes the disk: what comes after it changes nothing, which is how
// the disk looks to the next process. It may also take with it all that was not flushed: the bytes of files,
// new names and renames.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "data/io/file_system.h"

namespace semblance {

enum class Fault {
  None,
  ShortWrite,       ///< a write takes half of what it is given, and no more than that is wrong
  DiskFull,         ///< from here on nothing that takes room succeeds
  BadDisk,          ///< EIO, this once
  NoMoreFiles,      ///< EMFILE, this once
  CrashBefore,      ///< the step does not take place, nor anything after it
  CrashAfter,       ///< nothing after it does
  PowerLossBefore,  ///< as CrashBefore, and what was not flushed is lost
  PowerLossAfter,
};

const char* name_of(Fault fault);

class FaultyFileSystem : public FileSystem {
 public:
  /// `root`: an absolute path.
  FaultyFileSystem(std::string root, Fault fault, int64_t step)
      : root_(std::move(root)), fault_(fault), at_(step) {}
  ~FaultyFileSystem() override;

  int64_t steps() const { return steps_; }
  /// Whether the fault came; not every step can have every one.
  bool struck() const { return struck_; }
  /// What the step was that it struck.
  const std::string& struck_step() const { return struck_step_; }
  /// The names that were given to folders by renames and flushed before the fault.
  const std::vector<std::string>& durable() const { return durable_; }

  int open(const char* path, int flags, mode_t mode) override;
  ssize_t read(int file, void* to, size_t size) override;
  ssize_t write(int file, const void* from, size_t size) override;
  ssize_t pwrite(int file, const void* from, size_t size, off_t at) override;
  int ftruncate(int file, off_t size) override;
  int fsync(int file) override;
  int close(int file) override;
  int rename(const char* from, const char* to) override;
  int unlink(const char* path) override;
  int mkdir(const char* path, mode_t mode) override;
  int rmdir(const char* path) override;
  int list(const char* path, std::vector<std::string>& names) override;

 private:
  // What a step is, which decides what faults it may have.
  enum class Kind { Reads, TakesRoom, Writes, Other };
  // A change of names that is not flushed: a new file, or a rename and what was there before.
  struct Change {
    std::string from, to;
    std::string replaced;  // a second name of the file that was there
  };
  struct OpenFile {
    std::string path;
    int second = -1;  // a descriptor of ours, which outlives the file's
    off_t flushed = 0;
  };

  bool is_ours(const std::string& path) const;
  bool is_ours(int file) const { return files_.contains(file); }
  template <class Call>
  auto step(Kind kind, const std::string& what, Call&& call) -> decltype(call());
  void lose_what_was_not_flushed();
  void move_changes(const std::string& from, const std::string& to);

  std::string root_;
  Fault fault_;
  int64_t at_, steps_ = 0;
  bool struck_ = false, dead_ = false, full_ = false, halved_ = false;
  std::string struck_step_;
  std::map<int, OpenFile> files_;
  std::vector<OpenFile> written_;  // files made since the beginning
  std::vector<Change> changes_;    // in order
  std::vector<std::string> durable_;
  std::mutex mutex_;
};

/// All files under a folder: their paths in it and their bytes.
std::map<std::string, std::string> content_of(const std::string& folder);

}  // namespace semblance
