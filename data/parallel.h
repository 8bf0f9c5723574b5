// Work in consecutive shards, a thread each.
#pragma once

#include <cstdint>
#include <exception>
#include <thread>
#include <vector>

namespace semblance {

/// Calls work(shard, begin, end) for `shards` consecutive parts of [0, size), side by side; rethrows the
/// first shard's exception.
template <class Work>
void parallel_shards(int64_t size, int64_t shards, Work&& work) {
  std::vector<std::exception_ptr> failures(static_cast<size_t>(shards));
  const auto run = [&](int64_t shard) {
    try {
      work(shard, size * shard / shards, size * (shard + 1) / shards);
    } catch (...) {
      failures[static_cast<size_t>(shard)] = std::current_exception();
    }
  };
  std::vector<std::thread> threads;
  for (int64_t shard = 1; shard < shards; ++shard) threads.emplace_back(run, shard);
  run(0);
  for (auto& thread : threads) thread.join();
  for (const auto& failure : failures)
    if (failure) std::rethrow_exception(failure);
}

}  // namespace semblance
