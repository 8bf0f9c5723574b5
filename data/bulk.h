// Arrays that grow with the data.
#pragma once

#include <memory>
#include <memory_resource>
#include <span>
#include <utility>
#include <vector>

namespace semblance {

/// Allocates where std::pmr::get_default_resource() says: on the heap, or, where texts do not fit into
/// memory, in files (DiskMemory).
template <class T>
using Bulk = std::pmr::vector<T>;

/// An array that does not change any more, in memory or in a mapped file. A copy is the same array.
template <class T>
class Frozen : public std::span<const T> {
 public:
  Frozen() = default;
  Frozen(Bulk<T> values)  // NOLINT(google-explicit-constructor)
      : Frozen(std::make_shared<const Bulk<T>>(std::move(values))) {}
  /// `holder` keeps `values` alive.
  Frozen(std::span<const T> values, std::shared_ptr<const void> holder)
      : std::span<const T>(values), holder_(std::move(holder)) {}

 private:
  explicit Frozen(std::shared_ptr<const Bulk<T>> values) : Frozen(*values, values) {}

  std::shared_ptr<const void> holder_;
};

}  // namespace semblance
