// semblance version
#include <ATen/Version.h>
#include <torch/cuda.h>
#include <torch/version.h>
#if TORCH_VERSION_MAJOR > 2 || TORCH_VERSION_MINOR >= 9
#include <torch/csrc/inductor/aoti_torch/c/shim.h>
#define SEMBLANCE_LIBRARY_VERSION aoti_torch_abi_version()
#endif

#include "apps/command_line.h"
#include "apps/output.h"
#include "apps/verbs.h"
#include "models/parallel.h"
#include "training/device.h"
#include "training/join_ranks.h"
#include "training/threads.h"

namespace semblance {

namespace {

std::string headers_version() {
  return fmt::format("{}.{}.{}", TORCH_VERSION_MAJOR, TORCH_VERSION_MINOR, TORCH_VERSION_PATCH);
}

std::string library_version() {
#ifdef SEMBLANCE_LIBRARY_VERSION
  const uint64_t packed = SEMBLANCE_LIBRARY_VERSION;
  return fmt::format("{}.{}.{}", packed >> 56, packed >> 48 & 0xFF, packed >> 40 & 0xFF);
#else
  return headers_version();
#endif
}

}  // namespace

std::string versions() {
  return fmt::format("{} {} {}", SEMBLANCE_VERSION, library_version(), at::get_cpu_capability());
}

int run_version(Arguments arguments) {
  CommandLine line("version [--json]",
                   "Prints the versions of semblance and of LibTorch, the devices and the threads.");
  line.add_flag("Output", "json", "print one JSON object");
  if (!line.parse(arguments)) return 0;
  line.positional(0, 0);
  set_threads(0);
  const std::string headers = headers_version(), library = library_version();
  Json devices = {"cpu"};
  for (int i = 0; torch::cuda::is_available() && i < static_cast<int>(torch::cuda::device_count()); ++i)
    devices.push_back(fmt::format("cuda:{}", i));
  const Json report = {{"semblance", SEMBLANCE_VERSION},
                       {"libtorch", library},
                       {"libtorch_headers", headers},
                       {"devices", devices},
                       {"device", describe_device(resolve_device("auto"))},
                       {"threads", compute_threads()},
                       {"cpu_capability", at::get_cpu_capability()},
                       {"processes", can_join_ranks() ? "several" : "one"}};
  if (line.given("json")) {
    print_out(report.dump() + "\n");
  } else {
    for (const auto& [key, value] : report.items())
      print_out(fmt::format("{:<17} {}\n", key, value.is_string() ? value.get<std::string>() : value.dump()));
  }
  if (library != headers)
    throw Error(ErrorKind::Internal,
                "built with the headers of LibTorch {} but running with the library {}; build again", headers,
                library);
  return 0;
}

}  // namespace semblance
