// Batches of a dataset in a given order, made ahead on threads of their own.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <vector>

#include "data/random.h"

namespace semblance {

template <class Dataset>
class BatchLoader {
 public:
  using Batch = decltype(std::declval<const Dataset&>().batch(std::span<const int64_t>(), uint64_t{}));

  /// Batches `first`, `first + 1`, … of `order` cut into parts of `batch_size` rows; `key` names the epoch's
  /// random numbers. `dataset` must outlive the loader.
  BatchLoader(const Dataset& dataset, std::vector<int64_t> order, int64_t batch_size, uint64_t key,
              int64_t first = 0, int workers = 1)
      : dataset_(dataset),
        order_(std::move(order)),
        batch_size_(batch_size),
        key_(key),
        next_(first),
        lanes_(static_cast<size_t>(workers)) {
    // Worker w makes batches first + w, first + w + workers, …: taking them lane by lane restores the order.
    for (int w = 0; w < workers; ++w)
      threads_.emplace_back([this, w, workers, first] { work(w, first + w, workers); });
  }

  ~BatchLoader() {
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    for (auto& thread : threads_) thread.join();
  }
  BatchLoader(const BatchLoader&) = delete;
  BatchLoader& operator=(const BatchLoader&) = delete;

  int64_t batches() const { return (static_cast<int64_t>(order_.size()) + batch_size_ - 1) / batch_size_; }

  /// The next batch, or nothing at the end. Rethrows what making it threw.
  std::optional<Batch> next() {
    if (next_ >= batches()) return std::nullopt;
    std::unique_lock lock(mutex_);
    auto& lane = lanes_[lane_];
    changed_.wait(lock, [&] { return !lane.empty() || failure_; });
    if (lane.empty()) std::rethrow_exception(failure_);
    std::optional<Batch> batch(std::move(lane.front()));
    lane.pop_front();
    lock.unlock();
    changed_.notify_all();
    ++next_;
    lane_ = (lane_ + 1) % lanes_.size();
    return batch;
  }

 private:
  static constexpr size_t kAhead = 4;

  void work(int w, int64_t batch, int workers) {
    auto& lane = lanes_[static_cast<size_t>(w)];
    try {
      for (; batch < batches(); batch += workers) {
        const auto begin = static_cast<size_t>(batch * batch_size_);
        const size_t end = std::min(order_.size(), begin + static_cast<size_t>(batch_size_));
        Batch made = dataset_.batch(std::span(order_).subspan(begin, end - begin),
                                    mix(key_, static_cast<uint64_t>(batch)));
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return lane.size() < kAhead || stopping_; });
        if (stopping_) return;
        lane.push_back(std::move(made));
        lock.unlock();
        changed_.notify_all();
      }
    } catch (...) {
      std::lock_guard lock(mutex_);
      failure_ = std::current_exception();
      changed_.notify_all();
    }
  }

  const Dataset& dataset_;
  std::vector<int64_t> order_;
  int64_t batch_size_;
  uint64_t key_;
  int64_t next_;
  size_t lane_ = 0;
  std::vector<std::deque<Batch>> lanes_;
  std::exception_ptr failure_;
  bool stopping_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::thread> threads_;
};

}  // namespace semblance
