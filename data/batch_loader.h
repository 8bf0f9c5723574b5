// Batches of an epoch, made ahead by a thread of its own.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace semblance {

/// `Epoch` is a BatchSource's. To be used by one thread.
template <class Epoch>
class BatchLoader {
 public:
  using Batch = decltype(std::declval<Epoch&>().batch(int64_t{}));

  /// Batches `first` to `batches` - 1 of `epoch`.
  BatchLoader(Epoch epoch, int64_t batches, int64_t first = 0)
      : epoch_(std::move(epoch)), next_(first), batches_(batches), thread_([this, first] { make(first); }) {}

  ~BatchLoader() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }
  BatchLoader(const BatchLoader&) = delete;
  BatchLoader& operator=(const BatchLoader&) = delete;

  /// The next batch, or nothing at the end. Rethrows what making it threw.
  std::optional<Batch> next() {
    if (next_ >= batches_) return std::nullopt;
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !made_.empty() || failure_; });
    if (made_.empty()) std::rethrow_exception(failure_);
    std::optional<Batch> batch(std::move(made_.front()));
    made_.pop_front();
    const bool few = made_.size() == kFew;
    lock.unlock();
    if (few) changed_.notify_one();
    ++next_;
    return batch;
  }

 private:
  // The thread makes so many, then sleeps until few are left: being woken for each would cost as much as
  // making a small one.
  static constexpr size_t kAhead = 8, kFew = 4;

  void make(int64_t i) {
    try {
      for (; i < batches_; ++i) {
        Batch batch = epoch_.batch(i);
        std::unique_lock lock(mutex_);
        if (made_.size() == kAhead) changed_.wait(lock, [&] { return made_.size() <= kFew || stopping_; });
        if (stopping_) return;
        made_.push_back(std::move(batch));
        const bool first_there = made_.size() == 1;
        lock.unlock();
        if (first_there) changed_.notify_one();
      }
    } catch (...) {
      const std::lock_guard lock(mutex_);
      failure_ = std::current_exception();
      changed_.notify_all();
    }
  }

  Epoch epoch_;
  int64_t next_;
  const int64_t batches_;
  std::deque<Batch> made_;
  std::exception_ptr failure_;
  bool stopping_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::thread thread_;  // last: what it uses is there before it starts
};

}  // namespace semblance
