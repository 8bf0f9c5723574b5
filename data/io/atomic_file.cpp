#include "data/io/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <system_error>
#include <utility>
#include <vector>

#include "data/error.h"
#include "data/io/file_system.h"
#include "data/io/folders.h"

namespace semblance {

namespace fs = std::filesystem;

namespace {

constexpr const char* kStandardOutput = "-";

[[noreturn]] void fail(const std::string& name, const char* action) {
  if (name == kStandardOutput) fail_standard_output();
  throw Error(ErrorKind::Model, "{}: cannot be {}: {}", name, action, std::strerror(errno));
}

// Where links lead to in the end; a link to nothing leads to where its file would be.
fs::path follow_links(fs::path path) {
  std::error_code error;
  for (int links = 0; links < 40 && fs::is_symlink(path, error); ++links)
    path = path.parent_path() / fs::read_symlink(path, error);
  return path;
}

bool names(const fs::path& path, const struct stat& file) {
  struct stat found{};
  return ::stat(path.c_str(), &found) == 0 && found.st_dev == file.st_dev && found.st_ino == file.st_ino;
}

// The file to replace, links followed; empty for what is no file and is written where it is.
fs::path find_target(const fs::path& path) {
  if (path == kStandardOutput) return {};
  struct stat found{};
  const bool exists = ::stat(path.c_str(), &found) == 0;
  if (!exists && errno == ELOOP) fail(path.string(), "opened");
  if (!path.has_filename() || (exists && S_ISDIR(found.st_mode)))
    throw Error(ErrorKind::Model, "{}: expected a file to write, found a folder", path.string());
  auto target = follow_links(path);
  // A link of the system's (/dev/stdout) may lead to a file that has lost its name.
  if (exists && !(S_ISREG(found.st_mode) && names(target, found))) return {};
  return target;
}

// A new file beside `file`, under a temporary name; errors name `file`.
FileWriter create_beside(const fs::path& file, mode_t mode, std::unique_ptr<TemporaryPath>& temporary) {
  while (true) {
    // Registered first: a signal may come at any moment.
    temporary =
        std::make_unique<TemporaryPath>(file.parent_path() / temporary_name(file.filename().string()));
    const int descriptor =
        file_system().open(temporary->c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (descriptor >= 0) return {descriptor, file.string()};
    const int reason = errno;
    temporary->keep();  // nothing is there, or somebody else's
    errno = reason;
    if (reason != EEXIST) fail(file.string(), "created");
  }
}

// A file without a name.
FileWriter create_spool() {
  std::error_code error;
  auto folder = fs::temp_directory_path(error);
  if (error) folder = "/tmp";
  std::unique_ptr<TemporaryPath> removed_at_once;
  return create_beside(folder / "spool", 0600, removed_at_once);
}

// Gives a file the mode of an earlier one, and its owner and group where that is permitted.
void take_after(int file, const struct stat& earlier) {
  if (::fchown(file, earlier.st_uid, earlier.st_gid) != 0 &&
      ::fchown(file, static_cast<uid_t>(-1), earlier.st_gid) != 0) {
    // It is ours then, as any new file would be.
  }
  ::fchmod(file, earlier.st_mode & 0777);
}

// What is written to where it is: standard output, devices, pipes.
FileWriter open_in_place(const fs::path& path) {
  const int descriptor = path == kStandardOutput
                             ? ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)
                             : file_system().open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY);
  if (descriptor < 0) fail(path.string(), "opened");
  return {descriptor, path.string()};
}

}  // namespace

FileWriter::FileWriter(const fs::path& path)
    : FileWriter(file_system().open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666),
                 path.string()) {
  if (file_ < 0) fail("created");
}

FileWriter::FileWriter(int file, std::string name) : name_(std::move(name)), file_(file) {}

FileWriter::FileWriter(FileWriter&& other) noexcept
    : name_(std::move(other.name_)), file_(std::exchange(other.file_, -1)) {}

FileWriter::~FileWriter() {
  if (file_ >= 0) file_system().close(file_);
}

void FileWriter::fail(const char* action) const {
  semblance::fail(name_, action);
}

void FileWriter::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = file_system().write(file_, bytes.data(), bytes.size());
    if (n < 0) fail("written");
    bytes.remove_prefix(static_cast<size_t>(n));
  }
}

void FileWriter::replace_start(size_t size, std::string_view bytes) {
  const auto put = [&](std::string_view part, off_t at) {
    while (!part.empty()) {
      const ssize_t n = file_system().pwrite(file_, part.data(), part.size(), at);
      if (n < 0) fail("written");
      part.remove_prefix(static_cast<size_t>(n));
      at += n;
    }
  };
  put(bytes, 0);
  if (bytes.size() == size) return;
  std::vector<char> buffer(size_t{1} << 20);
  auto from = static_cast<off_t>(size), to = static_cast<off_t>(bytes.size());
  while (true) {
    const ssize_t n = file_system().pread(file_, buffer.data(), buffer.size(), from);
    if (n < 0) fail("read");
    if (n == 0) break;
    put({buffer.data(), static_cast<size_t>(n)}, to);
    from += n;
    to += n;
  }
  if (file_system().ftruncate(file_, to) != 0) fail("written");
}

void FileWriter::copy_to(FileWriter& to) const {
  std::vector<char> buffer(size_t{1} << 20);
  for (off_t at = 0;;) {
    const ssize_t n = file_system().pread(file_, buffer.data(), buffer.size(), at);
    if (n < 0) fail("read");
    if (n == 0) return;
    to.write({buffer.data(), static_cast<size_t>(n)});
    at += n;
  }
}

void FileWriter::finish() {
  if (file_ < 0) return;
  if (file_system().fsync(file_) != 0) fail("flushed");
  const int file = std::exchange(file_, -1);
  if (file_system().close(file) != 0) fail("closed");
}

AtomicFile::AtomicFile(const fs::path& path, Delivery delivery) : target_(find_target(path)) {
  if (target_.empty()) {
    writer_ = std::make_unique<FileWriter>(open_in_place(path));
    if (delivery == Delivery::AsWritten) return;
    receiver_ = std::move(writer_);
    writer_ = std::make_unique<FileWriter>(create_spool());
    return;
  }
  struct stat earlier{};
  const bool exists = ::stat(target_.c_str(), &earlier) == 0;
  // Nobody may read what is to replace a secret before it has that one's mode.
  writer_ = std::make_unique<FileWriter>(create_beside(target_, exists ? 0600 : 0666, temporary_));
  if (exists) take_after(writer_->descriptor(), earlier);
}

void AtomicFile::commit() {
  if (receiver_) writer_->copy_to(*receiver_);
  if (target_.empty()) return;
  writer_->finish();
  rename_path(temporary_->c_str(), target_);
  temporary_->keep();
  flush_folder(target_.parent_path());
}

void fail_standard_output() {
  if (errno == EPIPE) {
    std::signal(SIGPIPE, SIG_DFL);
    std::raise(SIGPIPE);
  }
  throw Error(ErrorKind::Internal, "standard output cannot be written: {}", std::strerror(errno));
}

void write_file_atomically(const fs::path& path, std::string_view content) {
  if (kind_of(path) == PathKind::Other)
    throw Error(ErrorKind::Model, "{}: expected a file, found a pipe or a device; remove it", path.string());
  AtomicFile file(path);
  file.writer().write(content);
  file.commit();
}

}  // namespace semblance
