// Encoded texts of different lengths as one batch of tensors (row 1.6).
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <span>

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

/// ids and offsets of the given rows. May be called from several threads at once.
TextBatch collate(const RaggedIdsView& texts, std::span<const int64_t> rows, const Collation& collation);

/// A batch's tensor on a device: through pinned memory, without waiting, where that is a GPU. An undefined
/// tensor stays undefined.
at::Tensor to_device(const at::Tensor& tensor, c10::Device device);

}  // namespace semblance
