// Which trained model a verb uses, and how.
#pragma once

#include <string>

#include "apps/command_line.h"
#include "training/kernels_field.h"
#include "training/threads.h"

namespace semblance {

struct ServingOptions {
  std::string checkpoint = "best";
  std::string device = "auto";
  KernelChoice kernels = KernelChoice::Own;
  int64_t threads = 0;

  void fields(FieldList& list) {
    list.add("checkpoint", checkpoint, {.help = "which checkpoint of the run", .hint = "best|last|NAME"});
    list.add("device", device, {.help = "where the model runs", .hint = "auto|cpu|cuda|cuda:N"});
    list.add("kernels", kernels, kKernelsField);
    list.add("threads", threads, kThreadsField);
  }
};

/// Adds ServingOptions and --json.
inline void add_serving_options(CommandLine& line) {
  line.add_fields(ServingOptions{}, "Model");
  line.add_flag("Output", "json", "print JSON");
}

}  // namespace semblance
