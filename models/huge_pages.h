// Memory of large tables.
#pragma once

#include <ATen/core/Tensor.h>

namespace semblance {

/// A tensor on the CPU, float32, not initialised, whose memory the system backs with large
/// pages where it can: reading rows of a table at random then misses the page table's cache far less often.
at::Tensor empty_table(at::IntArrayRef sizes);

}  // namespace semblance
