// What computes on the CPU: the kernels written for it, or LibTorch's operators alone, which every other
// device runs.
#pragma once

namespace semblance {

enum class KernelChoice {
  Own,       ///< in the CPU's own kernels; same bits for any number of threads
  LibTorch,  ///< as on a GPU: the same numbers but for rounding
};

/// For this process, from now on; Own at first, LibTorch where the environment has
/// SEMBLANCE_KERNELS=libtorch, which no choice changes.
void choose_kernels(KernelChoice choice);
bool own_kernels();
/// Whether what is done with `tensor` is done by an own kernel.
template <class Tensor>
bool own_kernels_for(const Tensor& tensor) {
  return tensor.is_cpu() && own_kernels();
}

}  // namespace semblance
