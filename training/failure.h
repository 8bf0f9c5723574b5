// Whatever was thrown, as the program's one error.
#pragma once

#include <exception>
#include <string>

#include "data/error.h"

namespace semblance {

/// Errors as they are; what the system or LibTorch throw, want of memory among it, as Error(Internal).
Error as_error(const std::exception_ptr& thrown);
/// What it says, without the place where LibTorch threw it.
std::string message_of(const std::exception& error);

}  // namespace semblance
