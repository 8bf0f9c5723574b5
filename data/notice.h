// Where a library's lines for people go: a caller decides what becomes of them.
#pragma once

#include <functional>
#include <string>

namespace semblance {

/// Takes one line, without its end. Called from the thread that called the library.
using Notice = std::function<void(const std::string&)>;

}  // namespace semblance
