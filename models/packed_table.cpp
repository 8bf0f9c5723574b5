#include "models/packed_table.h"

#include <torch/types.h>

#include <algorithm>
#include <cmath>

namespace semblance {

PackedTable pack_table(const at::Tensor& table) {
  const auto rows = table.detach().cpu().contiguous();
  const int64_t count = rows.size(0), dim = rows.size(1);
  PackedTable packed{torch::empty({count, dim}, torch::kInt8), torch::empty({count})};
  const auto* from = rows.const_data_ptr<float>();
  auto* to = packed.values.mutable_data_ptr<int8_t>();
  auto* scales = packed.scales.mutable_data_ptr<float>();
  constexpr float kMost = 127;
  for (int64_t row = 0; row < count; ++row, from += dim, to += dim) {
    float largest = 0;
    for (int64_t d = 0; d < dim; ++d) largest = std::max(largest, std::fabs(from[d]));
    scales[row] = largest / kMost;
    // Of a row that is nearly nothing the scale is nothing.
    for (int64_t d = 0; d < dim; ++d)
      to[d] = scales[row] > 0
                  ? static_cast<int8_t>(std::clamp(std::nearbyint(from[d] / scales[row]), -kMost, kMost))
                  : int8_t{0};
  }
  return packed;
}

at::Tensor unpack_rows(const PackedTable& table, int64_t first, int64_t count) {
  return table.values.narrow(0, first, count).to(at::kFloat) *
         table.scales.narrow(0, first, count).unsqueeze(1);
}

}  // namespace semblance
