#include "training/device.h"

#include <dlfcn.h>
#include <torch/cuda.h>

#include <fstream>

#include "data/config.h"
#include "data/error.h"

namespace semblance {
namespace {

// Empty if /proc tells none, as on ARM.
std::string cpu_name(const std::filesystem::path& proc) {
  std::ifstream file(proc / "cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("model name"))
      if (const auto start = line.find_first_not_of(" \t", line.find(':') + 1); start != std::string::npos)
        return line.substr(start);
  return "";
}

// From the driver, whose library is there wherever a CUDA device is: LibTorch tells names only to code that
// is built with CUDA's headers. Empty if it cannot tell.
std::string cuda_name(int index) {
  void* driver = dlopen("libcuda.so.1", RTLD_NOW);
  if (!driver) return "";
  const auto init = reinterpret_cast<int (*)(unsigned)>(dlsym(driver, "cuInit"));
  const auto get = reinterpret_cast<int (*)(int*, int)>(dlsym(driver, "cuDeviceGet"));
  const auto get_name = reinterpret_cast<int (*)(char*, int, int)>(dlsym(driver, "cuDeviceGetName"));
  int device = 0;
  char name[256] = "";
  const bool told = init && get && get_name && init(0) == 0 && get(&device, index) == 0 &&
                    get_name(name, sizeof name, device) == 0;
  return told ? name : "";
}

}  // namespace

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

std::string describe_device(c10::Device device, const std::filesystem::path& proc) {
  const auto name = device.is_cuda() ? cuda_name(device.index()) : cpu_name(proc);
  return name.empty() ? device.str() : fmt::format("{} ({})", device.str(), name);
}

}  // namespace semblance
