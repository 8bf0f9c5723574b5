// --kernels, the same for training and serving.
#pragma once

#include <array>
#include <utility>

#include "data/fields.h"
#include "models/kernel_choice.h"

namespace semblance {

template <>
struct EnumNames<KernelChoice> {
  static constexpr std::array names{std::pair{KernelChoice::Own, "own"},
                                    std::pair{KernelChoice::LibTorch, "libtorch"}};
};

inline constexpr Field kKernelsField{
    .help = "what computes on the CPU: its own kernels, or LibTorch's operators, as on a GPU",
    .before = "own"};

}  // namespace semblance
