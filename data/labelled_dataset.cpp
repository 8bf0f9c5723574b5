#include "data/labelled_dataset.h"

#include <ATen/Functions.h>

#include <algorithm>

namespace semblance {
namespace {

at::Tensor move(const at::Tensor& tensor, c10::Device device) {
  if (!tensor.defined() || tensor.device() == device) return tensor;
  return device.is_cuda() ? tensor.pin_memory().to(device, /*non_blocking=*/true) : tensor.to(device);
}

}  // namespace

TextBatch TextBatch::to(c10::Device device) const {
  return {move(ids, device), move(offsets, device), move(targets, device)};
}

TextBatch collate(const RaggedIds& texts, std::span<const int64_t> rows, const Collation& collation) {
  const auto n = static_cast<int64_t>(rows.size());
  const auto kept = [&](int64_t row) {
    const int64_t length = texts.length(row);
    return collation.max_length > 0 ? std::min(length, collation.max_length) : length;
  };
  int64_t longest = collation.shape == Collation::Shape::Fixed ? collation.max_length : 0, total = 0;
  for (const int64_t row : rows) {
    total += kept(row);
    longest = std::max(longest, kept(row));
  }
  const bool padded = collation.shape != Collation::Shape::Ragged;
  if (padded) longest = std::max<int64_t>(longest, 1);
  TextBatch batch;
  batch.ids = at::empty({padded ? n * longest : total}, at::kLong);
  batch.offsets = at::empty({n + 1}, at::kLong);
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

TextBatch LabelledDataset::batch(std::span<const int64_t> rows, uint64_t) const {
  auto batch = collate(texts_, rows, collation_);
  const auto n = static_cast<int64_t>(rows.size());
  if (classes_ == 0) {
    batch.targets = at::empty({n}, at::kLong);
    for (int64_t i = 0; i < n; ++i)
      batch.targets.data_ptr<int64_t>()[i] = labels_[rows[static_cast<size_t>(i)]][0];
  } else {
    batch.targets = at::zeros({n, classes_});
    for (int64_t i = 0; i < n; ++i)
      for (const int32_t label : labels_[rows[static_cast<size_t>(i)]])
        batch.targets.data_ptr<float>()[i * classes_ + label] = 1;
  }
  return batch;
}

}  // namespace semblance
