#include "data/io/disk_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <thread>

#include "data/error.h"
#include "data/io/temporary_path.h"

namespace semblance {
namespace {

// Bytes of files that are in this process's memory, its program among them.
size_t resident_file_bytes() {
  size_t all = 0, resident = 0, shared = 0;
  if (FILE* file = std::fopen("/proc/self/statm", "re")) {
    if (std::fscanf(file, "%zu %zu %zu", &all, &resident, &shared) != 3) shared = 0;
    std::fclose(file);
  }
  return shared * static_cast<size_t>(::sysconf(_SC_PAGESIZE));
}

// Looks after all watched pages, from a thread that there is as long as they are many.
class Watch {
 public:
  void add(const void* start, size_t size) {
    const std::lock_guard lock(mutex_);
    regions_[start] = size;
    total_ += size;
    if (total_ > WatchedPages::kMostResident && !thread_.joinable())
      thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  }

  void remove(const void* start) {
    std::jthread ended;  // joined without the lock
    const std::lock_guard lock(mutex_);
    const auto region = regions_.find(start);
    total_ -= region->second;
    regions_.erase(region);
    if (total_ <= WatchedPages::kMostResident) ended.swap(thread_);
  }

 private:
  void run(const std::stop_token& stop) {
    constexpr auto kEvery = std::chrono::milliseconds(5);
    std::unique_lock lock(mutex_);
    size_t others = 0;  // what is resident besides, by the last look after all were let go
    while (!stop.stop_requested()) {
      changed_.wait_for(lock, stop, kEvery, [] { return false; });
      if (stop.stop_requested() || resident_file_bytes() < others + WatchedPages::kMostResident) continue;
      for (const auto& [start, size] : regions_) ::madvise(const_cast<void*>(start), size, MADV_DONTNEED);
      others = resident_file_bytes();
    }
  }

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::map<const void*, size_t> regions_;
  size_t total_ = 0;
  std::jthread thread_;
};

Watch& watch() {
  static Watch watch;
  return watch;
}

// An open file without a name, of `size` bytes that the disk has set aside: a disk that is full is an error
// here, and not a signal when the memory is written to.
int make_file(const std::filesystem::path& folder, size_t size) {
  int file = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (file < 0) {  // not every file system has files without names
    const TemporaryPath path(folder / temporary_name("memory"));
    file = ::open(path.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
  }
  int failure = file < 0 ? errno : ::posix_fallocate(file, 0, static_cast<off_t>(size));
  if (failure == 0) return file;
  if (file >= 0) ::close(file);
  throw Error(ErrorKind::Model, "{}: cannot take {} MB: {}", folder.string(), size / 1'000'000,
              std::strerror(failure));
}

}  // namespace

WatchedPages::WatchedPages(const void* start, size_t size) : start_(start) {
  watch().add(start, size);
}

WatchedPages::~WatchedPages() {
  watch().remove(start_);
}

void* DiskMemory::do_allocate(size_t size, size_t alignment) {
  if (size < kLeast) return std::pmr::new_delete_resource()->allocate(size, alignment);
  const int file = make_file(folder_, size);
  void* start = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  const int failure = errno;
  ::close(file);
  if (start == MAP_FAILED)
    throw Error(ErrorKind::Model, "{}: cannot be mapped: {}", folder_.string(), std::strerror(failure));
  const std::lock_guard lock(mutex_);
  files_.try_emplace(start, start, size);
  return start;
}

void DiskMemory::do_deallocate(void* start, size_t size, size_t alignment) {
  if (size < kLeast) return std::pmr::new_delete_resource()->deallocate(start, size, alignment);
  {
    const std::lock_guard lock(mutex_);
    files_.erase(start);
  }
  ::munmap(start, size);
}

}  // namespace semblance
