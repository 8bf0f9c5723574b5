#include "models/parallel.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include "tests/no_threads.h"

namespace semblance {
namespace {

constexpr double kLarge = 1e6, kSmall = 1;  // nanoseconds

class Parallel : public testing::TestWithParam<int> {
 protected:
  Parallel() { set_compute_threads(GetParam()); }
  ~Parallel() override { set_compute_threads(1); }
};

TEST_P(Parallel, DoesEachOnce) {
  for (const int64_t size : {0, 1, 2, 7, 1000})
    for (int again = 0; again < 50; ++again) {
      std::vector<std::atomic<int>> done(static_cast<size_t>(size));
      parallel_for(size, kLarge, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) ++done[static_cast<size_t>(i)];
      });
      for (const auto& times : done) ASSERT_EQ(times, 1);
    }
}

TEST_P(Parallel, RethrowsWhatAPartThrewAndGoesOn) {
  std::atomic<int64_t> done = 0;
  const auto work = [&](int64_t begin, int64_t end) {
    if (begin == 0) throw std::runtime_error("the first part");
    done += end - begin;
  };
  EXPECT_THROW(parallel_for(100, kLarge, work), std::runtime_error);
  parallel_for(100, kLarge, [&](int64_t begin, int64_t end) { done += end - begin; });
  EXPECT_GE(done, 100);
}

TEST_P(Parallel, LeavesWhatPartsAskForToTheirOwnThreads) {
  std::atomic<int64_t> sum = 0;
  parallel_for(100, kLarge, [&](int64_t begin, int64_t end) {
    const auto here = std::this_thread::get_id();
    EXPECT_EQ(at::get_num_threads(), 1);
    parallel_for(end - begin, kLarge, [&](int64_t from, int64_t to) {
      EXPECT_EQ(std::this_thread::get_id(), here);
      sum += to - from;
    });
  });
  EXPECT_EQ(sum, 100);
}

TEST_P(Parallel, TakesWorkFromManyThreadsAtOnce) {
  std::atomic<int64_t> sum = 0;
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 4; ++caller)
    callers.emplace_back([&] {
      for (int again = 0; again < 200; ++again)
        parallel_for(50, kLarge, [&](int64_t begin, int64_t end) { sum += end - begin; });
    });
  for (auto& caller : callers) caller.join();
  EXPECT_EQ(sum, 4 * 200 * 50);
}

INSTANTIATE_TEST_SUITE_P(Threads, Parallel, testing::Values(1, 2, 5));

TEST(ParallelFor, LeavesSmallWorkToTheCaller) {
  set_compute_threads(4);
  int calls = 0;
  parallel_for(1000, kSmall, [&](int64_t begin, int64_t end) {
    EXPECT_EQ(end - begin, 1000);
    ++calls;
  });
  EXPECT_EQ(calls, 1);
  set_compute_threads(1);
}

TEST(ParallelFor, DoesAllItselfWhereTheSystemHasNoThread) {
  const NoThreads none;
  set_compute_threads(3);
  int64_t done = 0;
  parallel_for(100, kLarge, [&](int64_t begin, int64_t end) { done += end - begin; });
  set_compute_threads(1);
  EXPECT_EQ(done, 100);
}

TEST(ParallelForDeathTest, LetsAPartEndTheProcessAtOnce) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto end_on_a_worker = [] {
    set_compute_threads(2);
    const auto caller = std::this_thread::get_id();
    parallel_for(2, kLarge, [&](int64_t, int64_t) {
      if (std::this_thread::get_id() != caller) std::exit(7);
      std::this_thread::sleep_for(std::chrono::seconds(10));
    });
  };
  EXPECT_EXIT(end_on_a_worker(), testing::ExitedWithCode(EXIT_FAILURE), "");
}

TEST(ParallelFor, SpreadsLargeWork) {
  set_compute_threads(3);
  std::mutex mutex;
  std::set<std::thread::id> threads;
  parallel_for(3, kLarge, [&](int64_t, int64_t) {
    std::unique_lock lock(mutex);
    threads.insert(std::this_thread::get_id());
    lock.unlock();
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  });
  set_compute_threads(1);
  EXPECT_EQ(threads.size(), 3);
}

}  // namespace
}  // namespace semblance
