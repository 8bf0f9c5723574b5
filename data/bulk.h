// Arrays that grow with the data.
#pragma once

#include <cstddef>
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

/// A mapped file that does not stay in memory. What is read of it in no order is to be copied past the
/// mapping: each touch would bring in all pages around, only for them to be let go.
class FarMemory {
 public:
  virtual ~FarMemory() = default;
  /// `from`: within the mapping; `bytes` > 0. May be called by any number of threads at once. Throws
  /// Error(Model).
  virtual void copy(const void* from, size_t bytes, void* to) const = 0;
};

/// What keeps an array alive, and where it is far, how to copy from it.
struct ArrayHolder {
  std::shared_ptr<const void> owner;
  const FarMemory* far = nullptr;  ///< of the owner; null: it is in memory
};

/// An array that does not change any more, in memory or in a mapped file. A copy is the same array.
template <class T>
class Frozen : public std::span<const T> {
 public:
  Frozen() = default;
  Frozen(Bulk<T> values)  // NOLINT(google-explicit-constructor)
      : Frozen(std::make_shared<const Bulk<T>>(std::move(values))) {}
  Frozen(std::span<const T> values, ArrayHolder holder)
      : std::span<const T>(values), holder_(std::move(holder)) {}

  /// A value by itself, where many are read in no order.
  T get(size_t i) const {
    if (!holder_.far) return (*this)[i];
    T value;
    holder_.far->copy(this->data() + i, sizeof(T), &value);
    return value;
  }
  const ArrayHolder& holder() const { return holder_; }

 private:
  explicit Frozen(std::shared_ptr<const Bulk<T>> values) : Frozen(*values, ArrayHolder{values}) {}

  ArrayHolder holder_;
};

}  // namespace semblance
