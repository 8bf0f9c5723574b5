#include "training/serving/served_model.h"

#include <fmt/ranges.h>

#include "data/error.h"

namespace semblance {

void expect_room(const Checkpoint& checkpoint, int64_t rows, std::span<const int64_t> widths) {
  double held = 0, wanted = 0;
  for (const auto& [name, tensor] : checkpoint.model) held += static_cast<double>(tensor.numel());
  bool sound = rows > 0;
  for (int64_t before = rows; const int64_t width : widths) {
    sound = sound && width > 0;
    wanted += static_cast<double>(before) * static_cast<double>(width);
    before = width;
  }
  if (!sound || wanted > held)
    throw Error(ErrorKind::Model, "expected sizes that the {} numbers of its tensors fill, found {} x {}",
                held, rows, fmt::join(widths, " x "));
}

}  // namespace semblance
