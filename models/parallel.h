// Work spread over threads of our own, which LibTorch's operators know nothing of: each of them runs on the
// thread that calls it. OpenMP's threads wait for each other by spinning for milliseconds, and each has its
// share of the work: beside other programs one of them does not run, and all wait.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>

namespace semblance {

/// How many threads work is spread over from now on, the calling one counted; LibTorch computes on one. 1 at
/// first. Not while work is under way.
void set_compute_threads(int threads);
int compute_threads();

namespace parallel_detail {

// Nanoseconds worth handing to another thread: it has to be woken, and to fetch what this one has in its
// cache.
constexpr double kLeastPart = 50'000;

/// Calls work(begin, end) for `parts` consecutive parts of [0, size), two at least.
void run_parts(int64_t size, int parts, const std::function<void(int64_t begin, int64_t end)>& work);

}  // namespace parallel_detail

/// Into how many parts work of so many nanoseconds is worth cutting.
inline int64_t worthwhile_parts(double cost) {
  // More parts than threads: one that was held up leaves the others something to do.
  const int64_t threads = compute_threads();
  return std::min(static_cast<int64_t>(cost / parallel_detail::kLeastPart), threads > 1 ? 4 * threads : 1);
}

/// Calls work(begin, end) for consecutive parts of [0, size), which must not depend on each other: an idle
/// thread takes the next one, so that none waits for a thread that the machine has no time for. `cost`: about
/// how many nanoseconds one of [0, size) takes; what is not worth another thread the caller does alone, as it
/// does what `work` asks in its turn. Rethrows what a part threw first.
template <class Work>
void parallel_for(int64_t size, double cost, Work&& work) {
  if (size <= 0) return;
  const int64_t parts = std::min(size, worthwhile_parts(static_cast<double>(size) * cost));
  if (parts > 1) return parallel_detail::run_parts(size, static_cast<int>(parts), std::ref(work));
  work(int64_t{0}, size);
}

}  // namespace semblance
