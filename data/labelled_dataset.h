// Encoded texts with their classes, batched as tensors (row 1.6).
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "data/fields.h"
#include "data/ragged.h"

namespace semblance {

enum class Side { Pre, Post };

template <>
struct EnumNames<Side> {
  static constexpr std::array names{std::pair{Side::Post, "post"}, std::pair{Side::Pre, "pre"}};
};

/// How texts of different lengths become a batch.
struct Collation {
  enum class Shape {
    Ragged,   ///< each text its own ids
    Longest,  ///< filled with PAD to the longest text of the batch
    Fixed,    ///< filled or cut to `max_length` ids
  } shape = Shape::Ragged;
  int64_t max_length = 0;        ///< texts are cut to so many ids; 0: not cut (not for Fixed)
  Side padding = Side::Post;     ///< where PAD goes
  Side truncation = Side::Post;  ///< where ids are cut off
};

struct TextBatch {
  at::Tensor ids;      ///< int64 [n]: all texts' ids one after another; PAD is 0
  at::Tensor offsets;  ///< int64 [batch + 1]: text b is ids[offsets[b], offsets[b + 1])
  at::Tensor targets;  ///< int64 [batch] classes, or float [batch, classes] of 0 and 1, or float
                       ///< [batch, dim] vectors; undefined where a text has none

  TextBatch to(c10::Device device) const;
};

/// ids and offsets of the given rows.
TextBatch collate(const RaggedIds& texts, std::span<const int64_t> rows, const Collation& collation);

class LabelledDataset {
 public:
  /// `labels`: one class a row, or where `classes` > 0 a set of classes below it.
  LabelledDataset(RaggedIds texts, RaggedIds labels, int64_t classes, const Collation& collation)
      : texts_(std::move(texts)), labels_(std::move(labels)), classes_(classes), collation_(collation) {}

  int64_t size() const { return texts_.size(); }
  TextBatch batch(std::span<const int64_t> rows, uint64_t key) const;
  const RaggedIds& texts() const { return texts_; }
  const RaggedIds& labels() const { return labels_; }

 private:
  RaggedIds texts_, labels_;
  int64_t classes_;
  Collation collation_;
};

}  // namespace semblance
