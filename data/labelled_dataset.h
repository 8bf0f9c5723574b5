// Encoded texts with their classes, batched as tensors.
#pragma once

#include <cstdint>
#include <span>
#include <utility>

#include "data/batch.h"

namespace semblance {

class LabelledDataset {
 public:
  /// `labels`: one class a row, or where `classes` > 0 a set of classes below it.
  LabelledDataset(FrozenIds texts, FrozenIds labels, int64_t classes, const Collation& collation)
      : texts_(std::move(texts)), labels_(std::move(labels)), classes_(classes), collation_(collation) {}

  int64_t size() const { return texts_.size(); }
  TextBatch batch(std::span<const int64_t> rows, uint64_t key) const;
  const FrozenIds& texts() const { return texts_; }
  const FrozenIds& labels() const { return labels_; }

 private:
  FrozenIds texts_, labels_;
  int64_t classes_;
  Collation collation_;
};

}  // namespace semblance
