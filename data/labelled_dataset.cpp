#include "data/labelled_dataset.h"

#include "data/tensors.h"

namespace semblance {

TextBatch LabelledDataset::batch(std::span<const int64_t> rows, uint64_t) const {
  const auto texts = texts_.near(rows), labels = labels_.near(rows);
  auto batch = collate(texts.all, texts.numbers, collation_);
  const auto n = static_cast<int64_t>(rows.size());
  if (classes_ == 0) {
    batch.targets = empty_tensor({n}, at::kLong);
    for (int64_t i = 0; i < n; ++i) batch.targets.data_ptr<int64_t>()[i] = labels[static_cast<size_t>(i)][0];
  } else {
    batch.targets = zero_tensor({n, classes_});
    for (int64_t i = 0; i < n; ++i)
      for (const int32_t label : labels[static_cast<size_t>(i)])
        batch.targets.data_ptr<float>()[i * classes_ + label] = 1;
  }
  return batch;
}

}  // namespace semblance
