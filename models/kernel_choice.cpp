#include "models/kernel_choice.h"

#include <cstdlib>
#include <string_view>

namespace semblance {
namespace {

bool libtorch_by_environment() {
  const char* given = std::getenv("SEMBLANCE_KERNELS");
  return given && std::string_view(given) == "libtorch";
}

bool chose_own = !libtorch_by_environment();

}  // namespace

void choose_kernels(KernelChoice choice) {
  chose_own = choice == KernelChoice::Own && !libtorch_by_environment();
}

bool own_kernels() {
  return chose_own;
}

}  // namespace semblance
