#include "training/threads.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <fstream>
#include <thread>

#include "tests/temporary_folder.h"

namespace semblance {
namespace {

// Made-up /proc and /sys/fs/cgroup.
class Threads : public testing::Test {
 protected:
  void write(const std::string& name, const std::string& content) {
    const auto path = folder_ / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << content;
  }
  int64_t threads() const { return available_threads(folder_ / "proc", folder_ / "cgroup"); }

  TemporaryFolder folder_;
  int64_t all_ = available_threads(folder_ / "none", folder_ / "none");
};

TEST_F(Threads, AreAllWhereNothingLimitsThem) {
  EXPECT_GE(all_, 1);
  EXPECT_LE(all_, static_cast<int64_t>(std::thread::hardware_concurrency()));
  write("proc/self/cgroup", "0::/user.slice\n");
  write("cgroup/user.slice/cpu.max", "max 100000\n");
  EXPECT_EQ(threads(), all_);
}

TEST_F(Threads, AreNoMoreThanTheGroupsQuotaPaysFor) {
  write("proc/self/cgroup", "0::/job\n");
  write("cgroup/job/cpu.max", "100000 100000\n");
  EXPECT_EQ(threads(), 1);
  write("cgroup/job/cpu.max", "1000000000 100000\n");
  EXPECT_EQ(threads(), all_);
}

TEST_F(Threads, CountAPartOfACpuAsAWholeOne) {
  write("proc/self/cgroup", "0::/job\n");
  write("cgroup/job/cpu.max", "110000 100000\n");
  EXPECT_EQ(threads(), std::min<int64_t>(2, all_));
  write("cgroup/job/cpu.max", "1000 100000\n");
  EXPECT_EQ(threads(), 1);
}

TEST_F(Threads, ObeyTheQuotaOfAnyGroupAbove) {
  write("proc/self/cgroup", "0::/slice/service/job\n");
  write("cgroup/slice/cpu.max", "50000 100000\n");
  write("cgroup/slice/service/cpu.max", "max 100000\n");
  write("cgroup/slice/service/job/cpu.max", "800000 100000\n");
  EXPECT_EQ(threads(), 1);
}

TEST_F(Threads, ObeyTheRootThatAContainerSees) {
  // Its own group is mounted as the root; the path is the host's, or leads out of what is mounted.
  for (const char* path : {"/", "/docker/1234", "/../../other"}) {
    write("proc/self/cgroup", std::string("0::") + path + "\n");
    write("cgroup/cpu.max", "50000 100000\n");
    EXPECT_EQ(threads(), 1) << path;
  }
}

TEST_F(Threads, ObeyQuotasOfTheFirstVersionOfControlGroups) {
  write("proc/self/cgroup", "5:memory:/a\n4:cpu,cpuacct:/a/b\n0::/a\n");
  write("cgroup/cpu,cpuacct/a/cpu.cfs_quota_us", "100000\n");
  write("cgroup/cpu,cpuacct/a/cpu.cfs_period_us", "100000\n");
  write("cgroup/cpu,cpuacct/a/b/cpu.cfs_quota_us", "-1\n");
  write("cgroup/cpu,cpuacct/a/b/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(threads(), 1);
  write("cgroup/cpu,cpuacct/a/cpu.cfs_quota_us", "-1\n");
  EXPECT_EQ(threads(), all_);
}

TEST_F(Threads, TakeNonsenseForNoLimit) {
  write("proc/self/cgroup", "::\nnonsense\n0::/job\n");
  for (const char* content : {"", "max", "-5 100000", "100000 0", "100000", "\xff\xfe", "many few"}) {
    write("cgroup/job/cpu.max", content);
    EXPECT_EQ(threads(), all_) << content;
  }
}

TEST_F(Threads, AreOneWhereTheProcessMayUseOneCpu) {
  // The affinity of a thread is its own, so nothing else of the tests is touched.
  std::thread([this] {
    cpu_set_t allowed, one;
    ASSERT_EQ(sched_getaffinity(0, sizeof allowed, &allowed), 0);
    CPU_ZERO(&one);
    for (int cpu = 0; CPU_COUNT(&one) == 0; ++cpu)
      if (CPU_ISSET(cpu, &allowed)) CPU_SET(cpu, &one);
    ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
    EXPECT_EQ(threads(), 1);
  }).join();
}

}  // namespace
}  // namespace semblance
