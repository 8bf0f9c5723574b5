// Memory in files, for arrays that may be larger than the machine's memory.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <memory_resource>
#include <mutex>

namespace semblance {

/// Pages of a mapped file, of which no more than some hundreds of MB stay in the memory of the process: where
/// they are, all that are watched are let go, to come back from the system's cache or the file when they are
/// read again. Nothing is lost: what was written to a shared mapping is the file's.
class WatchedPages {
 public:
  static constexpr size_t kMostResident = size_t{256} << 20;

  WatchedPages(const void* start, size_t size);
  ~WatchedPages();
  WatchedPages(const WatchedPages&) = delete;
  WatchedPages& operator=(const WatchedPages&) = delete;

 private:
  const void* start_;
};

/// Blocks of 32 MiB and more lie in files without names in a folder, mapped and watched; smaller ones on the
/// heap. May be used by any number of threads at once. It is to outlive what is allocated in it.
class DiskMemory : public std::pmr::memory_resource {
 public:
  static constexpr size_t kLeast = size_t{32} << 20;

  explicit DiskMemory(std::filesystem::path folder) : folder_(std::move(folder)) {}

  /// While it lives, Bulk arrays are made there, by whichever thread.
  class Use {
   public:
    explicit Use(DiskMemory& memory) : before_(std::pmr::set_default_resource(&memory)) {}
    ~Use() { std::pmr::set_default_resource(before_); }
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;

   private:
    std::pmr::memory_resource* before_;
  };

 private:
  /// Throws Error(Model) where the folder takes no such file.
  void* do_allocate(size_t size, size_t alignment) override;
  void do_deallocate(void* start, size_t size, size_t alignment) override;
  bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override { return this == &other; }

  std::filesystem::path folder_;
  std::mutex mutex_;
  std::map<void*, WatchedPages> files_;
};

}  // namespace semblance
