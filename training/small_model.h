// Small models as checkpoints: their weights in one file (training/small_file.h) whose tables of vectors are
// packed.
#pragma once

#include <cstdint>
#include <string>

#include "models/packed_table.h"
#include "training/checkpoint.h"

namespace semblance {

/// What a small model holds of `checkpoint`: its weights, with the tables of vectors packed wherever that
/// takes less room. A table NAME becomes NAME, int8 [rows, dim], and NAME_scales, float [rows].
Checkpoint packed_checkpoint(const Checkpoint& checkpoint);

/// Writes what packed_checkpoint made, the same bytes for the same content; `path` as AtomicFile takes it.
/// Returns how many bytes. Throws Error(Model).
int64_t write_small_model(const std::string& path, const Checkpoint& packed);
/// How many it would write.
int64_t small_model_bytes(const Checkpoint& packed);

/// The tensors lie over the file and are not to be written to. Throws as read_small_file.
Checkpoint read_small_model(const std::string& path);

/// The embedding of a checkpoint that has it packed; undefined where it has not, and where `device` cannot
/// look it up. Throws Error(Model) unless it is [rows, dim].
PackedTable packed_embedding(const Checkpoint& checkpoint, int64_t rows, int64_t dim, c10::Device device);

/// `tensors` with those packed tables as floats of which `wanted` has no scales.
NamedTensors unpack_tables(const NamedTensors& tensors, const NamedTensors& wanted);

}  // namespace semblance
