// What surrounds all that the program does.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace semblance {

/// Calls `run` with signals and streams as the verbs expect them, and turns what it throws into one line and
/// an exit code, which is returned.
int run_program(const std::vector<std::string>& arguments,
                const std::function<int(const std::vector<std::string>& arguments)>& run);

}  // namespace semblance
