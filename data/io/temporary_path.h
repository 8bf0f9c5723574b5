// Files that are not to outlive what makes them, also where a signal ends the program.
#pragma once

#include <atomic>
#include <filesystem>
#include <string>
#include <string_view>

namespace semblance {

/// A path of which nothing stays: the file there is removed with the object, or by `remove_temporaries`,
/// unless it was kept before. Nothing need be there yet. Any thread may have some of its own.
class TemporaryPath {
 public:
  explicit TemporaryPath(const std::filesystem::path& path);
  ~TemporaryPath();
  TemporaryPath(const TemporaryPath&) = delete;
  TemporaryPath& operator=(const TemporaryPath&) = delete;

  const char* c_str() const { return path_; }
  /// From now on what is there is somebody else's, or has another name.
  void keep();

 private:
  const char* path_;                 // freed unless a signal handler has taken it
  std::atomic<const char*>* place_;  // in the list of all; null where that was full
};

/// Removes the files of all TemporaryPaths (of the first 64, should there ever be more). For the handler of a
/// signal that ends the program: async-signal-safe.
void remove_temporaries() noexcept;

/// From now on they are somebody else's: of the parent of a child process.
void forget_temporaries() noexcept;

/// A temporary name for a file called `name`, another one each time: NAME.semblance-XXXXXX.tmp, where NAME is
/// cut if it is so long that this would be no name.
std::string temporary_name(std::string_view name);
/// Whether `temporary` is such a name for `name`.
bool is_temporary_name(std::string_view temporary, std::string_view name);

}  // namespace semblance
