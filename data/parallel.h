// Work in consecutive shards, a thread each.
#pragma once

#include <cstdint>
#include <exception>
#include <new>
#include <system_error>
#include <thread>
#include <vector>

namespace semblance {

/// Calls work(shard, begin, end) for `shards` consecutive parts of [0, size), side by side; those for which
/// the system has no thread come after the others. Rethrows the first shard's exception.
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
  threads.reserve(static_cast<size_t>(shards));
  int64_t started = 1;
  try {
    for (; started < shards; ++started) threads.emplace_back(run, started);
  } catch (const std::system_error&) {
  } catch (const std::bad_alloc&) {
  }
  run(0);
  for (; started < shards; ++started) run(started);
  for (auto& thread : threads) thread.join();
  for (const auto& failure : failures)
    if (failure) std::rethrow_exception(failure);
}

}  // namespace semblance
