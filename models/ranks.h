// Processes that train one model together. Each has the whole model and makes every update itself; of what a
// batch takes to compute, each does a share for all, where that is faster than doing all of it. Shares are
// cut where blocks of work are (models/blocks.h), so that the numbers are the same bits for any number of
// processes.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <vector>

namespace semblance {

/// One of a group, which all call the same functions in the same order. Used by one thread.
class Ranks {
 public:
  virtual ~Ranks() = default;
  virtual int rank() const = 0;
  virtual int size() const = 0;
  /// Of `rows`, contiguous [n, …] on the CPU, those from bounds[r] to bounds[r + 1] are there on rank r:
  /// brings them to all. Throws Error(Device) where another process has ended.
  virtual void gather(const at::Tensor& rows, std::span<const int64_t> bounds) = 0;
  /// Spent in `gather`.
  virtual double seconds() const = 0;
};

/// Null where this process trains alone.
Ranks* ranks();
/// `group` is to outlive its use; null: alone.
void set_ranks(Ranks* group);
inline int this_rank() {
  return ranks() ? ranks()->rank() : 0;
}

/// Whether work of `nanoseconds`, whose results are `bytes`, is done sooner in shares. The same answer on all
/// ranks; always, where the environment has SEMBLANCE_SHARE=all.
bool worth_sharing(double nanoseconds, double bytes);
/// Where the shares of all ranks begin and end, at multiples of `block` within [0, size): [ranks + 1].
std::vector<int64_t> share_bounds(int64_t size, int64_t block);

}  // namespace semblance
