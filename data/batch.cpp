#include "data/batch.h"

#include <algorithm>

#include "data/tensors.h"

namespace semblance {

at::Tensor to_device(const at::Tensor& tensor, c10::Device device) {
  if (!tensor.defined() || tensor.device() == device) return tensor;
  return device.is_cuda() ? tensor.pin_memory().to(device, /*non_blocking=*/true) : tensor.to(device);
}

TextBatch TextBatch::to(c10::Device device) const {
  return {to_device(ids, device), to_device(offsets, device), to_device(targets, device)};
}

TextBatch collate(const RaggedIdsView& texts, std::span<const int64_t> rows, const Collation& collation) {
  const auto n = static_cast<int64_t>(rows.size());
  const auto kept = [&](int64_t row) {
    const int64_t length = texts.length(row);
    return collation.max_length > 0 ? std::min(length, collation.max_length) : length;
  };
  int64_t longest = collation.shape == Collation::Shape::Fixed ? collation.max_length : 0, total = 0;
  for (const int64_t row : rows) {
    __builtin_prefetch(texts[row].data());  // somewhere in memory: all are on their way when they are copied
    total += kept(row);
    longest = std::max(longest, kept(row));
  }
  const bool padded = collation.shape != Collation::Shape::Ragged;
  if (padded) longest = std::max<int64_t>(longest, 1);
  TextBatch batch;
  batch.ids = empty_tensor({padded ? n * longest : total}, at::kLong);
  batch.offsets = empty_tensor({n + 1}, at::kLong);
  auto* to = batch.ids.data_ptr<int64_t>();
  auto* offsets = batch.offsets.data_ptr<int64_t>();
  const auto* const start = to;
  for (int64_t i = 0; i < n; ++i) {
    offsets[i] = to - start;
    auto ids = texts[rows[static_cast<size_t>(i)]];
    const auto length = static_cast<size_t>(kept(rows[static_cast<size_t>(i)]));
    ids = collation.truncation == Side::Post ? ids.first(length) : ids.last(length);
    const int64_t pads = padded ? longest - static_cast<int64_t>(length) : 0;
    if (collation.padding == Side::Pre) to = std::fill_n(to, pads, 0);
    to = std::ranges::copy(ids, to).out;
    if (collation.padding == Side::Post) to = std::fill_n(to, pads, 0);
  }
  offsets[n] = to - start;
  return batch;
}

}  // namespace semblance
