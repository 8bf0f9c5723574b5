#include "training/run_lock.h"

#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "data/error.h"
#include "data/io/file_system.h"

namespace semblance {
namespace {

std::string this_process() {
  char host[256] = "";
  ::gethostname(host, sizeof host - 1);
  return fmt::format("process {} on {}", ::getpid(), host);
}

// What the holder wrote; it may not have come to that yet.
std::string holder(int file) {
  char text[300];
  const ssize_t n = file_system().pread(file, text, sizeof text, 0);
  return n > 0 ? std::string(text, static_cast<size_t>(n)) : "another process";
}

// Whether `path` still is this file: whoever held the lock may have removed it meanwhile.
bool is_at(const std::filesystem::path& path, int file) {
  struct stat own{}, there{};
  return ::fstat(file, &own) == 0 && ::stat(path.c_str(), &there) == 0 && own.st_dev == there.st_dev &&
         own.st_ino == there.st_ino;
}

}  // namespace

RunLock::RunLock(const std::filesystem::path& run) {
  const auto path = run / kName;
  while (file_ < 0) {
    const int file = file_system().open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0666);
    if (file < 0)
      throw Error(ErrorKind::Model, "{}: cannot be opened: {}", path.string(), std::strerror(errno));
    const bool refused = ::flock(file, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    if (!refused && is_at(path, file)) {
      file_ = file;
      break;
    }
    const auto by = refused ? holder(file) : std::string();
    file_system().close(file);
    if (refused)
      throw Error(ErrorKind::Model,
                  "{}: expected a run that nobody trains, found {} at it; wait until it ends, or stop it",
                  run.string(), by);
  }
  path_ = std::make_unique<TemporaryPath>(path);
  const auto text = this_process();
  // For people alone: the lock does not hang on it.
  if (::ftruncate(file_, 0) != 0 || file_system().pwrite(file_, text.data(), text.size(), 0) < 0) return;
}

RunLock::~RunLock() {
  path_.reset();  // while the lock is held: nobody else's file goes
  file_system().close(file_);
}

}  // namespace semblance
