// Small models: a checkpoint's weights in one file whose tables of vectors are packed, and which is opened by
// mapping it. checkpoints/README.md describes the format.
#pragma once

#include <cstdint>
#include <string>

#include "models/packed_table.h"
#include "training/checkpoint.h"

namespace semblance {

/// Whether a file begins as write_small_model writes it; false for what cannot be opened.
bool is_small_model(const std::string& path);

/// What a small model holds of `checkpoint`: its weights, with the tables of vectors packed wherever that
/// takes less room. A table NAME becomes NAME, int8 [rows, dim], and NAME_scales, float [rows].
Checkpoint packed_checkpoint(const Checkpoint& checkpoint);

/// Writes what packed_checkpoint made, the same bytes for the same content; `path` as AtomicFile takes it.
/// Returns how many bytes. Throws Error(Model).
int64_t write_small_model(const std::string& path, const Checkpoint& packed);
/// How many it would write.
int64_t small_model_bytes(const Checkpoint& packed);

/// Verifies, then reads; the tensors lie over the file and are not to be written to. Throws
/// DamagedCheckpoint, and Error(Model) for what cannot be read or is of a later version.
Checkpoint read_small_model(const std::string& path);
/// Its manifest, verified likewise.
Json small_model_manifest(const std::string& path);

/// The embedding of a checkpoint that has it packed; undefined where it has not, and where `device` cannot
/// look it up. Throws Error(Model) unless it is [rows, dim].
PackedTable packed_embedding(const Checkpoint& checkpoint, int64_t rows, int64_t dim, c10::Device device);

/// `tensors` with those packed tables as floats of which `wanted` has no scales.
NamedTensors unpack_tables(const NamedTensors& tensors, const NamedTensors& wanted);

}  // namespace semblance
