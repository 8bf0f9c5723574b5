#include "data/io/atomic_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "data/error.h"

namespace semblance {

FileWriter::FileWriter(const std::filesystem::path& path)
    : path_(path), file_(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)) {
  if (file_ < 0) fail("created");
}

FileWriter::~FileWriter() {
  if (file_ >= 0) ::close(file_);
}

void FileWriter::fail(const char* action) const {
  throw Error(ErrorKind::Model, "{}: cannot be {}: {}", path_.string(), action, std::strerror(errno));
}

void FileWriter::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(file_, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail("written");
    bytes.remove_prefix(static_cast<size_t>(n));
  }
}

void FileWriter::finish() {
  if (::fsync(file_) != 0) fail("flushed");
  const int file = std::exchange(file_, -1);
  if (::close(file) != 0) fail("closed");
}

void FileWriter::rewrite_start(std::string_view bytes) {
  if (::pwrite(file_, bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) fail("written");
}

AtomicFile::AtomicFile(const std::filesystem::path& path)
    : path_(path), temporary_(path.string() + ".tmp"), writer_(temporary_) {}

AtomicFile::~AtomicFile() {
  std::error_code ignored;
  if (!committed_) std::filesystem::remove(temporary_, ignored);
}

void AtomicFile::commit() {
  writer_.finish();
  rename_path(temporary_, path_);
  committed_ = true;
  flush_folder(path_.parent_path());
}

void write_file_atomically(const std::filesystem::path& path, std::string_view content) {
  AtomicFile file(path);
  file.writer().write(content);
  file.commit();
}

void flush_folder(const std::filesystem::path& folder) {
  const auto name = folder.empty() ? std::filesystem::path(".") : folder;
  const int file = ::open(name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0) return;  // a folder without read permission can still be renamed in
  ::fsync(file);         // some file systems do not offer it for folders: nothing more can be done there
  ::close(file);
}

void make_folder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error)
    throw Error(ErrorKind::Model, "{}: the folder cannot be created: {}", folder.string(), error.message());
}

void rename_path(const std::filesystem::path& from, const std::filesystem::path& to) {
  std::error_code error;
  std::filesystem::rename(from, to, error);
  if (error)
    throw Error(ErrorKind::Model, "{}: cannot be renamed to {}: {}", from.string(), to.string(),
                error.message());
}

}  // namespace semblance
