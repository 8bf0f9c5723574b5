#include "data/io/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "data/error.h"

namespace semblance {

MappedFile::MappedFile(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) throw Error(ErrorKind::Model, "{}: cannot be opened: {}", path, std::strerror(errno));
  struct stat info{};
  const bool known = ::fstat(file, &info) == 0;
  size_ = known ? static_cast<size_t>(info.st_size) : 0;
  void* start = size_ > 0 ? ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file, 0) : MAP_FAILED;
  ::close(file);
  if (start == MAP_FAILED)
    throw Error(ErrorKind::Model, "{}: cannot be mapped: {}", path, std::strerror(errno));
  start_ = static_cast<const char*>(start);
}

MappedFile::~MappedFile() {
  ::munmap(const_cast<char*>(start_), size_);
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
