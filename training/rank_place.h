// Where a process stands among those that torchrun, Slurm or MPI has started together.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace semblance {

struct RankPlace {
  int rank = 0, size = 1, local_size = 1;
  std::string address;  ///< where rank 0, or torchrun, waits for the others
  uint16_t port = 0;
  bool store_is_there = false;  ///< torchrun waits: rank 0 is not to
  int restarts = 0;             ///< how often torchrun has begun anew
};

/// By the environment: RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT (torchrun), SLURM_PROCID and
/// SLURM_STEP_NUM_TASKS, or OMPI_COMM_WORLD_RANK and _SIZE; none where this process was started alone. Throws
/// Error(Usage) for values that do not fit together.
std::optional<RankPlace> rank_place();
/// Throws Error(Usage) that names `verb`, which is for one process, where there are others.
void expect_alone(const std::string& verb);

}  // namespace semblance
