#include "data/io/file_system.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <string_view>

namespace semblance {
namespace {

FileSystem system_calls;
std::atomic<FileSystem*> in_use = &system_calls;

template <class Call>
auto again_if_interrupted(Call&& call) {
  while (true) {
    const auto result = call();
    if (result >= 0 || errno != EINTR) return result;
  }
}

}  // namespace

int FileSystem::open(const char* path, int flags, mode_t mode) {
  return again_if_interrupted([&] { return ::open(path, flags, mode); });
}

ssize_t FileSystem::read(int file, void* to, size_t size) {
  return again_if_interrupted([&] { return ::read(file, to, size); });
}

ssize_t FileSystem::pread(int file, void* to, size_t size, off_t at) {
  return again_if_interrupted([&] { return ::pread(file, to, size, at); });
}

ssize_t FileSystem::write(int file, const void* from, size_t size) {
  return again_if_interrupted([&] { return ::write(file, from, size); });
}

ssize_t FileSystem::pwrite(int file, const void* from, size_t size, off_t at) {
  return again_if_interrupted([&] { return ::pwrite(file, from, size, at); });
}

int FileSystem::ftruncate(int file, off_t size) {
  return again_if_interrupted([&] { return ::ftruncate(file, size); });
}

int FileSystem::fsync(int file) {
  return again_if_interrupted([&] { return ::fsync(file); });
}

int FileSystem::close(int file) {
  // The descriptor is gone in any case: a second call could close another's.
  const int result = ::close(file);
  return result < 0 && errno == EINTR ? 0 : result;
}

int FileSystem::rename(const char* from, const char* to) {
  return ::rename(from, to);
}

int FileSystem::unlink(const char* path) {
  return ::unlink(path);
}

int FileSystem::mkdir(const char* path, mode_t mode) {
  return ::mkdir(path, mode);
}

int FileSystem::rmdir(const char* path) {
  return ::rmdir(path);
}

int FileSystem::list(const char* path, std::vector<std::string>& names) {
  DIR* folder = ::opendir(path);
  if (folder == nullptr) return -1;
  errno = 0;
  while (const dirent* entry = ::readdir(folder)) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  const int reason = errno;
  ::closedir(folder);
  errno = reason;
  return reason == 0 ? 0 : -1;
}

FileSystem& file_system() {
  return *in_use;
}

StandInFileSystem::StandInFileSystem(FileSystem& other) {
  in_use = &other;
}

StandInFileSystem::~StandInFileSystem() {
  in_use = &system_calls;
}

}  // namespace semblance
