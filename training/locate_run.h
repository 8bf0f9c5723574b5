// Where a run is that the command line names.
#pragma once

#include <filesystem>
#include <string>

namespace semblance {

/// `given` as a path if it exists, else within checkpoints/ if that exists.
std::filesystem::path locate_run(const std::string& given);

}  // namespace semblance
