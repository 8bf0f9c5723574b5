#include "models/huge_pages.h"

#include <ATen/Functions.h>
#include <sys/mman.h>

#include <cstdint>

namespace semblance {

at::Tensor empty_table(at::IntArrayRef sizes) {
  constexpr uintptr_t kPage = uintptr_t{2} << 20;
  auto table = at::empty(sizes, at::kFloat);
  const auto start = reinterpret_cast<uintptr_t>(table.data_ptr()), end = start + table.nbytes();
  const uintptr_t first = (start + kPage - 1) / kPage * kPage, last = end / kPage * kPage;
  // Advice: what does not follow it works all the same.
  if (first < last) madvise(reinterpret_cast<void*>(first), last - first, MADV_HUGEPAGE);
  return table;
}

}  // namespace semblance
