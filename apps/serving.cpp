#include "apps/serving.h"

#include "training/run_training.h"

namespace semblance {

void add_serving_options(CommandLine& line) {
  line.add_option("Model", "checkpoint", "best|last|NAME", "which checkpoint of the run", "best");
  line.add_option("Model", "device", "auto|cpu|cuda|cuda:N", "where the model runs", "auto");
  line.add_option("Model", "threads", "N", "threads to compute with; 0: one for each core", "0");
  line.add_flag("Output", "json", "print JSON");
}

ServedCheckpoint open_checkpoint(const CommandLine& line, const std::string& run) {
  set_threads(
      parse_integer(line.last("threads").value_or("0"), "threads", Field{.help = "", .min = 0, .max = 1024}));
  auto location = locate_checkpoint(run, line.last("checkpoint").value_or("best"));
  auto checkpoint = read_checkpoint(location.path(), CheckpointPart::ModelOnly);
  return {std::move(location), std::move(checkpoint)};
}

std::string device_choice(const CommandLine& line) {
  return line.last("device").value_or("auto");
}

}  // namespace semblance
