// Tables of vectors in eight bits a number, which are looked up as they lie.
#pragma once

#include <ATen/core/Tensor.h>

namespace semblance {

/// Row r stands for scales[r] · values[r, :]. Not to be trained.
struct PackedTable {
  at::Tensor values;  ///< int8 [rows, dim], on the CPU
  at::Tensor scales;  ///< float [rows]

  bool defined() const { return values.defined(); }
};

/// `table`: float [rows, dim], finite. A number of a row differs from the packed one by half the row's scale
/// at most, which is a 127th of its largest.
PackedTable pack_table(const at::Tensor& table);

/// `count` rows from `first` on: float [count, dim].
at::Tensor unpack_rows(const PackedTable& table, int64_t first, int64_t count);

}  // namespace semblance
