#include "data/labelled_dataset.h"

#include "data/tensors.h"

namespace semblance {

TextBatch LabelledDataset::batch(std::span<const int64_t> rows, uint64_t) const {
  auto batch = collate_frozen(texts_, rows, collation_);
  const auto copied = labels_.far() ? labels_.copy_rows(rows) : RaggedIds();
  const auto labels = [&](int64_t i) {
    return labels_.far() ? copied[i] : labels_[rows[static_cast<size_t>(i)]];
  };
  const auto n = static_cast<int64_t>(rows.size());
  if (classes_ == 0) {
    batch.targets = empty_tensor({n}, at::kLong);
    for (int64_t i = 0; i < n; ++i) batch.targets.data_ptr<int64_t>()[i] = labels(i)[0];
  } else {
    batch.targets = zero_tensor({n, classes_});
    for (int64_t i = 0; i < n; ++i)
      for (const int32_t label : labels(i)) batch.targets.data_ptr<float>()[i * classes_ + label] = 1;
  }
  return batch;
}

}  // namespace semblance
