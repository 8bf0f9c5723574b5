#include "data/parallel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <system_error>

#include "tests/no_threads.h"

namespace semblance {
namespace {

TEST(ParallelShards, CoverEachIndexOnceWhateverTheirNumber) {
  for (const int64_t shards : {1, 2, 3, 7})
    for (const int64_t size : {0, 1, 5, 100}) {
      std::vector<int> visits(static_cast<size_t>(size));
      std::atomic<int64_t> calls = 0;
      parallel_shards(size, shards, [&](int64_t shard, int64_t begin, int64_t end) {
        EXPECT_TRUE(0 <= shard && shard < shards);
        for (int64_t i = begin; i < end; ++i) ++visits[static_cast<size_t>(i)];
        ++calls;
      });
      EXPECT_EQ(calls, shards);
      EXPECT_EQ(visits, std::vector<int>(static_cast<size_t>(size), 1)) << size << " in " << shards;
    }
}

TEST(ParallelShards, WhereSomeThrowTheOthersEndAndTheFirstIsTold) {
  for (const int64_t first : {0, 2}) {
    std::atomic<int64_t> ended = 0;
    try {
      parallel_shards(4, 4, [&](int64_t shard, int64_t, int64_t) {
        if (shard == first || shard == 3) throw std::runtime_error(std::to_string(shard));
        ++ended;
      });
      ADD_FAILURE();
    } catch (const std::runtime_error& error) {
      EXPECT_EQ(error.what(), std::to_string(first));
    }
    EXPECT_EQ(ended, 2);
  }
}

TEST(ParallelShards, AreAllDoneWhereTheSystemHasNoThread) {
  const NoThreads none;
  EXPECT_THROW(std::thread([] {}).join(), std::system_error);
  std::vector<int64_t> order;
  parallel_shards(9, 3, [&](int64_t shard, int64_t begin, int64_t end) {
    EXPECT_EQ(end - begin, 3);
    order.push_back(shard);
  });
  EXPECT_EQ(order, (std::vector<int64_t>{0, 1, 2}));
}

}  // namespace
}  // namespace semblance
