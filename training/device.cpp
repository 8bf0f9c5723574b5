#include "training/device.h"

#include <torch/cuda.h>

#include "data/config.h"
#include "data/error.h"

namespace semblance {

c10::Device resolve_device(const std::string& choice) {
  const auto count = static_cast<int64_t>(torch::cuda::is_available() ? torch::cuda::device_count() : 0);
  if (choice == "cpu") return c10::Device(c10::kCPU);
  if (choice == "auto") return count > 0 ? c10::Device(c10::kCUDA, 0) : c10::Device(c10::kCPU);
  if (choice != "cuda" && !choice.starts_with("cuda:"))
    throw Error(ErrorKind::Usage, "--device: expected auto, cpu, cuda or cuda:N, found '{}'", choice);
  const int64_t index =
      choice == "cuda" ? 0
                       : parse_integer(choice.substr(5), "device", Field{.help = "", .min = 0, .max = 127});
  if (index >= count)
    throw Error(ErrorKind::Device,
                "--device: expected {} CUDA device(s) for '{}', found {}; use --device cpu or auto",
                index + 1, choice, count);
  return c10::Device(c10::kCUDA, static_cast<c10::DeviceIndex>(index));
}

std::string describe_device(c10::Device device) {
  return device.str();
}

}  // namespace semblance
