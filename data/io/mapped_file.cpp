#include "data/io/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "data/error.h"

namespace semblance {

MappedFile::MappedFile(const std::string& path)
    : path_(path), file_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
  if (file_ < 0) throw Error(ErrorKind::Model, "{}: cannot be opened: {}", path, std::strerror(errno));
  struct stat info{};
  const bool known = ::fstat(file_, &info) == 0;
  size_ = known ? static_cast<size_t>(info.st_size) : 0;
  void* start = size_ > 0 ? ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file_, 0) : MAP_FAILED;
  if (start == MAP_FAILED) {
    const int why = errno;
    ::close(file_);
    throw Error(ErrorKind::Model, "{}: cannot be mapped: {}", path, std::strerror(why));
  }
  start_ = static_cast<const char*>(start);
}

MappedFile::~MappedFile() {
  ::munmap(const_cast<char*>(start_), size_);
  ::close(file_);
}

void MappedFile::read(size_t at, size_t size, void* out) const {
  for (auto* to = static_cast<char*>(out); size > 0;) {
    const ssize_t got = ::pread(file_, to, size, static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0)
      throw Error(ErrorKind::Model, "{}: cannot be read: {}", path_,
                  got < 0 ? std::strerror(errno) : "it has become shorter");
    to += got;
    at += static_cast<size_t>(got);
    size -= static_cast<size_t>(got);
  }
}

void MappedFile::release(size_t at, size_t size) const {
  constexpr size_t kPage = 4096;
  at = at / kPage * kPage;  // what is not there to be dropped makes no difference
  ::madvise(const_cast<char*>(start_) + at, std::min(size + kPage, size_ - at), MADV_DONTNEED);
}

bool begins_with(const std::string& path, std::string_view magic) {
  std::error_code ignored;
  // Not from a pipe: what is read is gone.
  if (!std::filesystem::is_regular_file(path, ignored)) return false;
  std::ifstream file(path, std::ios::binary);
  std::string start(magic.size(), '\0');
  return file.read(start.data(), static_cast<std::streamsize>(start.size())) && start == magic;
}

}  // namespace semblance
