#include "tests/reliability/faulty_file_system.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace semblance {

namespace fs = std::filesystem;

const char* name_of(Fault fault) {
  switch (fault) {
    case Fault::None:
      return "no fault";
    case Fault::ShortWrite:
      return "short write";
    case Fault::DiskFull:
      return "full disk";
    case Fault::BadDisk:
      return "bad disk";
    case Fault::NoMoreFiles:
      return "too many open files";
    case Fault::CrashBefore:
      return "crash before";
    case Fault::CrashAfter:
      return "crash after";
    case Fault::PowerLossBefore:
      return "power loss before";
    case Fault::PowerLossAfter:
      return "power loss after";
  }
  return "";
}

FaultyFileSystem::~FaultyFileSystem() {
  for (const auto& file : written_) ::close(file.second);
  for (const auto& change : changes_)
    if (!change.replaced.empty()) ::unlink(change.replaced.c_str());
}

bool FaultyFileSystem::is_ours(const std::string& path) const {
  return path == root_ || path.starts_with(root_ + "/");
}

// Makes a call, or what the fault makes of it.
template <class Call>
auto FaultyFileSystem::step(Kind kind, const std::string& what, Call&& call) -> decltype(call()) {
  const auto fail = [](int reason) -> decltype(call()) {
    errno = reason;
    return -1;
  };
  if (dead_) return fail(EIO);
  const bool here = ++steps_ == at_;
  if (here) struck_step_ = what;
  const auto crash = [&](bool power_loss) {
    struck_ = dead_ = true;
    if (power_loss) lose_what_was_not_flushed();
  };
  if (here && fault_ == Fault::DiskFull) full_ = true;
  if (full_ && (kind == Kind::TakesRoom || kind == Kind::Writes)) {
    struck_ = true;
    return fail(ENOSPC);
  }
  if (here && fault_ == Fault::BadDisk) return struck_ = true, fail(EIO);
  if (here && fault_ == Fault::NoMoreFiles && what.starts_with("open")) return struck_ = true, fail(EMFILE);
  if (here && fault_ == Fault::NoMoreFiles && what.starts_with("list")) return struck_ = true, fail(EMFILE);
  if (here && fault_ == Fault::ShortWrite && kind == Kind::Writes) struck_ = halved_ = true;
  if (here && (fault_ == Fault::CrashBefore || fault_ == Fault::PowerLossBefore)) {
    crash(fault_ == Fault::PowerLossBefore);
    return fail(EIO);
  }
  const auto result = call();
  halved_ = false;
  if (here && (fault_ == Fault::CrashAfter || fault_ == Fault::PowerLossAfter))
    crash(fault_ == Fault::PowerLossAfter);
  return result;
}

// What is in a folder goes with it.
void FaultyFileSystem::move_changes(const std::string& from, const std::string& to) {
  for (auto& change : changes_)
    for (auto* path : {&change.from, &change.to})
      if (path->starts_with(from + "/")) path->replace(0, from.size(), to);
}

void FaultyFileSystem::lose_what_was_not_flushed() {
  for (const auto& file : written_) {
    struct stat info{};
    if (::fstat(file.second, &info) == 0 && info.st_size > file.flushed &&
        ::ftruncate(file.second, file.flushed) != 0)
      struck_step_ += " (a file could not be cut)";
  }
  for (auto change = changes_.rbegin(); change != changes_.rend(); ++change) {
    if (change->from.empty()) {
      ::unlink(change->to.c_str());
      continue;
    }
    ::rename(change->to.c_str(), change->from.c_str());
    move_changes(change->to, change->from);
    if (!change->replaced.empty()) ::rename(change->replaced.c_str(), change->to.c_str());
  }
  changes_.clear();
}

int FaultyFileSystem::open(const char* path, int flags, mode_t mode) {
  if (!is_ours(path)) return FileSystem::open(path, flags, mode);
  const std::lock_guard lock(mutex_);
  const bool makes = (flags & O_CREAT) != 0 && !fs::exists(path);
  return step(makes ? Kind::TakesRoom : Kind::Reads, fmt::format("open {}", path), [&] {
    const int file = FileSystem::open(path, flags, mode);
    if (file < 0) return file;
    OpenFile opened{.path = path};
    if ((flags & O_ACCMODE) != O_RDONLY) {
      opened.second = ::open(path, O_RDWR | O_CLOEXEC);  // not a copy, which would share a lock
      written_.push_back(opened);
    }
    if (makes) changes_.push_back({.from = "", .to = path, .replaced = ""});
    files_[file] = opened;
    return file;
  });
}

ssize_t FaultyFileSystem::read(int file, void* to, size_t size) {
  const std::lock_guard lock(mutex_);
  if (!is_ours(file)) return FileSystem::read(file, to, size);
  return step(Kind::Reads, "read " + files_[file].path, [&] { return FileSystem::read(file, to, size); });
}

ssize_t FaultyFileSystem::write(int file, const void* from, size_t size) {
  const std::lock_guard lock(mutex_);
  if (!is_ours(file)) return FileSystem::write(file, from, size);
  return step(Kind::Writes, "write " + files_[file].path,
              [&] { return FileSystem::write(file, from, halved_ ? (size + 1) / 2 : size); });
}

ssize_t FaultyFileSystem::pwrite(int file, const void* from, size_t size, off_t at) {
  const std::lock_guard lock(mutex_);
  if (!is_ours(file)) return FileSystem::pwrite(file, from, size, at);
  return step(Kind::Writes, "pwrite " + files_[file].path,
              [&] { return FileSystem::pwrite(file, from, halved_ ? (size + 1) / 2 : size, at); });
}

int FaultyFileSystem::ftruncate(int file, off_t size) {
  const std::lock_guard lock(mutex_);
  if (!is_ours(file)) return FileSystem::ftruncate(file, size);
  return step(Kind::Other, "ftruncate " + files_[file].path,
              [&] { return FileSystem::ftruncate(file, size); });
}

// The disk of a test needs no flushing; what counts is that it was asked for.
int FaultyFileSystem::fsync(int file) {
  const std::lock_guard lock(mutex_);
  if (!is_ours(file)) return 0;
  const auto& path = files_[file].path;
  return step(Kind::Other, "fsync " + path, [&] {
    struct stat info{};
    ::fstat(file, &info);
    for (auto& written : written_)
      if (struct stat other{}; ::fstat(written.second, &other) == 0 && other.st_ino == info.st_ino)
        written.flushed = info.st_size;
    if (!S_ISDIR(info.st_mode)) return 0;
    std::erase_if(changes_, [&](const Change& change) {
      if (fs::path(change.to).parent_path() != path) return false;
      if (!change.replaced.empty()) ::unlink(change.replaced.c_str());
      if (!change.from.empty() && fs::is_directory(change.to))
        durable_.push_back(fs::path(change.to).filename());
      return true;
    });
    return 0;
  });
}

int FaultyFileSystem::close(int file) {
  const std::lock_guard lock(mutex_);
  if (!is_ours(file)) return FileSystem::close(file);
  const auto path = files_[file].path;
  files_.erase(file);
  const int result = FileSystem::close(file);  // the system closes it, whatever happens
  return step(Kind::Other, "close " + path, [&] { return result; });
}

int FaultyFileSystem::rename(const char* from, const char* to) {
  if (!is_ours(std::string(from))) return FileSystem::rename(from, to);
  const std::lock_guard lock(mutex_);
  return step(Kind::TakesRoom, fmt::format("rename {} to {}", from, to), [&] {
    Change change{.from = from, .to = to, .replaced = ""};
    // Beside the folder, so that nobody sees it in it.
    if (const auto kept = fmt::format("{}.{}.replaced", root_, steps_); ::link(to, kept.c_str()) == 0)
      change.replaced = kept;
    const int result = FileSystem::rename(from, to);
    if (result == 0) {
      move_changes(from, to);
      changes_.push_back(change);
    } else if (!change.replaced.empty()) {
      ::unlink(change.replaced.c_str());
    }
    return result;
  });
}

int FaultyFileSystem::unlink(const char* path) {
  if (!is_ours(std::string(path))) return FileSystem::unlink(path);
  const std::lock_guard lock(mutex_);
  return step(Kind::Other, fmt::format("unlink {}", path), [&] { return FileSystem::unlink(path); });
}

int FaultyFileSystem::mkdir(const char* path, mode_t mode) {
  if (!is_ours(std::string(path))) return FileSystem::mkdir(path, mode);
  const std::lock_guard lock(mutex_);
  return step(Kind::TakesRoom, fmt::format("mkdir {}", path), [&] { return FileSystem::mkdir(path, mode); });
}

int FaultyFileSystem::rmdir(const char* path) {
  if (!is_ours(std::string(path))) return FileSystem::rmdir(path);
  const std::lock_guard lock(mutex_);
  return step(Kind::Other, fmt::format("rmdir {}", path), [&] { return FileSystem::rmdir(path); });
}

int FaultyFileSystem::list(const char* path, std::vector<std::string>& names) {
  if (!is_ours(std::string(path))) return FileSystem::list(path, names);
  const std::lock_guard lock(mutex_);
  return step(Kind::Reads, fmt::format("list {}", path), [&] { return FileSystem::list(path, names); });
}

std::map<std::string, std::string> content_of(const std::string& folder) {
  std::map<std::string, std::string> content;
  if (!fs::exists(folder)) return content;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file()) {
      std::ifstream file(entry.path(), std::ios::binary);
      content[fs::relative(entry.path(), folder).string()] = {std::istreambuf_iterator<char>(file), {}};
    }
  return content;
}

}  // namespace semblance
