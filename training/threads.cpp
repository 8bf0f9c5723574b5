#include "training/threads.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

#include "models/parallel.h"

namespace semblance {
namespace {

namespace fs = std::filesystem;

constexpr double kNoLimit = std::numeric_limits<double>::infinity();

// The CPUs that this thread may run on.
int64_t allowed_cpus() {
  // The kernel wants a mask at least as large as its own, and does not tell how large that is.
  for (size_t cpus = 1024; cpus <= size_t{1} << 20; cpus *= 2) {
    std::vector<cpu_set_t> mask(CPU_ALLOC_SIZE(cpus) / sizeof(cpu_set_t));
    const size_t bytes = mask.size() * sizeof(cpu_set_t);
    if (sched_getaffinity(0, bytes, mask.data()) == 0) return CPU_COUNT_S(bytes, mask.data());
  }
  return 1;
}

double ratio(double quota, double period) {
  return quota > 0 && period > 0 ? quota / period : kNoLimit;
}

// "200000 100000", or "max 100000" (version 2 of control groups).
double quota_of_group(const fs::path& group) {
  std::ifstream file(group / "cpu.max");
  double quota = 0, period = 0;
  file >> quota >> period;
  return ratio(quota, period);
}

// Microseconds, a quota of -1 being none (version 1).
double quota_of_group_v1(const fs::path& group) {
  std::ifstream quota_file(group / "cpu.cfs_quota_us"), period_file(group / "cpu.cfs_period_us");
  double quota = 0, period = 0;
  quota_file >> quota;
  period_file >> period;
  return ratio(quota, period);
}

// The least of `path`'s own and its parents' quotas. A container may see its own group as the root of all.
template <class Quota>
double least_quota(const fs::path& root, const fs::path& path, Quota&& quota) {
  double least = quota(root);
  for (fs::path group = path.lexically_normal().relative_path(); !group.empty(); group = group.parent_path())
    least = std::min(least, quota(root / group));
  return least;
}

double cpu_quota(const fs::path& proc, const fs::path& cgroups) {
  double least = kNoLimit;
  std::ifstream groups(proc / "self" / "cgroup");
  for (std::string line; std::getline(groups, line);) {  // "4:cpu,cpuacct:/path", or "0::/path" of version 2
    const auto first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const auto controllers = line.substr(first + 1, second - first - 1), path = line.substr(second + 1);
    least =
        std::min(least, controllers.empty() ? least_quota(cgroups, path, quota_of_group)
                                            : least_quota(cgroups / controllers, path, quota_of_group_v1));
  }
  return least;
}

}  // namespace

int64_t available_threads(const fs::path& proc, const fs::path& cgroups) {
  const auto allowed = static_cast<double>(allowed_cpus());
  return std::max<int64_t>(1, static_cast<int64_t>(std::min(allowed, std::ceil(cpu_quota(proc, cgroups)))));
}

void set_threads(int64_t threads) {
  set_compute_threads(static_cast<int>(threads > 0 ? threads : available_threads()));
}

}  // namespace semblance
