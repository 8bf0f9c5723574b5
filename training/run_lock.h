// One process at a time changes a run.
#pragma once

#include <filesystem>
#include <memory>

#include "data/io/temporary_path.h"

namespace semblance {

/// Holds the file LOCK in a run folder, which the system lets go of when the process ends, however it ends.
/// Where the file system has no locks, nobody is kept out.
class RunLock {
 public:
  static constexpr const char* kName = "LOCK";

  /// Throws Error(Model) that names the process that holds it, or if the file cannot be made.
  explicit RunLock(const std::filesystem::path& run);
  ~RunLock();
  RunLock(const RunLock&) = delete;
  RunLock& operator=(const RunLock&) = delete;

 private:
  std::unique_ptr<TemporaryPath> path_;
  int file_ = -1;
};

}  // namespace semblance
