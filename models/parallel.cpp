#include "models/parallel.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>
#include <vector>

namespace semblance {
namespace {

using Work = std::function<void(int64_t begin, int64_t end)>;

// Waits awake until `is_true`, or gives up: false. Being woken takes some 50 us, longer than a small step's
// part. So it is worth staying awake while that is seen to pay; where it was in vain, since other programs
// have the CPUs, it is hardly tried.
template <class Condition>
bool spin(Condition&& is_true) {
  using std::chrono::microseconds;
  constexpr microseconds kLeast(10), kMost(500);
  thread_local microseconds patience = kMost;
  const auto end = std::chrono::steady_clock::now() + patience;
  do {
    for (int i = 0; i < 16; ++i) {
      if (is_true()) {
        patience = std::min(kMost, 2 * patience);
        return true;
      }
#if defined(__x86_64__)
      __builtin_ia32_pause();
#elif defined(__aarch64__)
      asm volatile("yield");
#endif
    }
  } while (std::chrono::steady_clock::now() < end);
  patience = std::max(kLeast, patience / 4);
  return false;
}

thread_local bool inside = false;  // of somebody's work

// Threads that sleep until there is work. Who takes a part counts `left_` down, who has done one counts
// `done_` up; the work itself stands still from the first to the last.
class Crew {
 public:
  Crew() { resize(1); }
  // Where exit() was called within somebody's work, as OpenMP's library does when it has no memory, there is
  // no waiting for all of that to end, and nothing to be taken from under it.
  ~Crew() {
    if (inside) std::_Exit(EXIT_FAILURE);
    dismiss();
  }
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  int threads() const { return threads_; }

  void resize(int threads) {
    const std::lock_guard lock(busy_);
    if (threads != threads_) dismiss();
    threads_ = threads;
    at::set_num_threads(1);
  }

  void run(int64_t size, int parts, const Work& work) {
    if (inside) return work(0, size);
    const std::unique_lock lock(busy_, std::try_to_lock);
    if (!lock) return work(0, size);
    hire();
    work_ = &work;
    size_ = size;
    parts_ = parts;
    done_.store(0, std::memory_order_relaxed);
    left_.store(parts, std::memory_order_release);
    call(parts - 1);
    inside = true;
    while (do_part()) {
    }
    inside = false;
    const auto all_done = [&] { return done_.load(std::memory_order_acquire) == parts; };
    if (!spin(all_done))
      for (int done; (done = done_.load(std::memory_order_acquire)) != parts;) done_.wait(done);
    if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
  }

 private:
  bool do_part() {
    int left = left_.load(std::memory_order_relaxed);
    do {
      if (left == 0) return false;
    } while (
        !left_.compare_exchange_weak(left, left - 1, std::memory_order_acquire, std::memory_order_relaxed));
    const int parts = parts_, part = parts - left;
    try {
      (*work_)(size_* part / parts, size_ * (part + 1) / parts);
    } catch (...) {
      const std::lock_guard lock(failing_);
      if (!failure_) failure_ = std::current_exception();
    }
    if (done_.fetch_add(1, std::memory_order_acq_rel) + 1 == parts) done_.notify_one();
    return true;
  }

  void serve() {
    inside = true;
    at::set_num_threads(1);  // MKL's number is each thread's own
    while (true) {
      const int seen = calls_.load(std::memory_order_acquire);
      if (dismissed_) return;
      while (do_part()) {
      }
      if (!spin([&] { return calls_.load(std::memory_order_relaxed) != seen; })) calls_.wait(seen);
    }
  }

  void call(int wanted) {
    calls_.fetch_add(1, std::memory_order_release);
    if (wanted >= threads_ - 1) return calls_.notify_all();
    for (; wanted > 0; --wanted) calls_.notify_one();
  }
  // As many as the system has: those who are there do all the parts.
  void hire() {
    try {
      while (static_cast<int>(workers_.size()) < threads_ - 1) workers_.emplace_back([this] { serve(); });
    } catch (const std::system_error&) {
    } catch (const std::bad_alloc&) {
    }
  }
  void dismiss() {
    dismissed_ = true;
    call(threads_ - 1);
    for (auto& worker : workers_) worker.join();
    workers_.clear();
    dismissed_ = false;
  }

  std::mutex busy_, failing_;
  int threads_ = 1;
  std::vector<std::thread> workers_;
  std::atomic<int> calls_ = 0;  // what workers sleep on
  std::atomic<bool> dismissed_ = false;
  std::atomic<int> left_ = 0, done_ = 0;
  const Work* work_ = nullptr;
  int64_t size_ = 0;
  int parts_ = 0;
  std::exception_ptr failure_;
};

Crew& crew() {
  static Crew crew;
  return crew;
}

}  // namespace

void set_compute_threads(int threads) {
  crew().resize(threads);
}

int compute_threads() {
  return crew().threads();
}

namespace parallel_detail {

void run_parts(int64_t size, int parts, const std::function<void(int64_t begin, int64_t end)>& work) {
  crew().run(size, parts, work);
}

}  // namespace parallel_detail
}  // namespace semblance
