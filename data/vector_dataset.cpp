#include "data/vector_dataset.h"

#include <algorithm>

#include "data/tensors.h"

namespace semblance {

TextBatch VectorDataset::batch(std::span<const int64_t> rows, uint64_t) const {
  auto batch = collate(ids_, rows, {});
  const int64_t dim = targets_.size(1);
  batch.targets = empty_tensor({static_cast<int64_t>(rows.size()), dim});
  auto* to = batch.targets.mutable_data_ptr<float>();
  const auto* from = targets_.const_data_ptr<float>();
  for (const int64_t row : rows) to = std::copy_n(from + row * dim, dim, to);
  return batch;
}

}  // namespace semblance
