// How many threads to compute with.
#pragma once

#include <cstdint>
#include <filesystem>

#include "data/fields.h"

namespace semblance {

/// The CPUs that this process may use at once: those that it may run on (taskset, a cpuset), no more than its
/// control groups' quotas pay for (docker --cpus, CPUQuota=), a part counting as a whole one; 1 at least.
/// `proc` and `cgroups` stand for /proc and /sys/fs/cgroup. What is not there limits nothing.
int64_t available_threads(const std::filesystem::path& proc = "/proc",
                          const std::filesystem::path& cgroups = "/sys/fs/cgroup");

/// Sets the number of threads to compute with; 0: available_threads().
void set_threads(int64_t threads);

inline constexpr Field kThreadsField{
    .help = "threads to compute with; 0: one for each CPU it may use", .min = 0, .max = 1024};

struct ThreadOptions {
  int64_t threads = 0;

  void fields(FieldList& list) { list.add("threads", threads, kThreadsField); }
};

}  // namespace semblance
