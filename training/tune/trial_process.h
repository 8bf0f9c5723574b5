// Work in a process of its own, whose memory, crashes and signals are its own too: a copy of this one, which
// must have no second thread. It ends with this process, however that ends.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>

#include "data/config.h"
#include "data/notice.h"

namespace semblance {

/// What became of the work: its answer, or its error (in words, and as an exit code; 128 + N where signal N
/// ended it).
struct TrialAnswer {
  Json report;
  std::string error;
  int code = 0;
};

/// Owns the process: it is killed with the object.
class TrialProcess {
 public:
  /// `work` returns what is written to `answer`; what it and LibTorch tell goes to `log`. Throws Error.
  TrialProcess(const std::function<Json(const Notice&)>& work, std::filesystem::path answer,
               const std::filesystem::path& log);
  ~TrialProcess();
  TrialProcess(const TrialProcess&) = delete;
  TrialProcess& operator=(const TrialProcess&) = delete;

  /// The answer, once the process has ended.
  std::optional<TrialAnswer> answer();
  void signal(int signal) const;
  /// Since it began.
  double seconds() const;

 private:
  TrialAnswer read_answer(int status) const;

  pid_t process_;
  std::filesystem::path answer_;
  std::chrono::steady_clock::time_point begun_;
};

}  // namespace semblance
