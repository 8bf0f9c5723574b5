// semblance evaluate RUN DATA [options]
#include <chrono>

#include "apps/output.h"
#include "apps/serving.h"
#include "apps/verbs.h"
#include "training/device.h"
#include "training/tasks/sentiment.h"

namespace semblance {

int run_evaluate(Arguments arguments) {
  CommandLine line("evaluate RUN DATA [DATA …] [options]", "Measures a trained model on labelled texts.");
  add_serving_options(line);
  line.add_fields(InputOptions{}, "Layout of the files (the run's own unless given)");
  if (!line.parse(arguments)) return 0;
  const auto& given = line.positional(2, 1000);
  const auto start = std::chrono::steady_clock::now();
  const auto served = open_checkpoint(line, given[0]);
  SentimentModel model(served.checkpoint, served.location.path().string(),
                       resolve_device(device_choice(line)));
  auto layout = model.job().input;
  line.apply_fields(layout);
  Json report = model.evaluate_files(std::span(given).subspan(1), layout, print_note);
  report["seconds"] = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  report["run"] = served.location.run.string();
  report["checkpoint"] = served.location.name;
  report["step"] = served.checkpoint.training.value("step", 0);
  report["epoch"] = served.checkpoint.training.value("epoch", 0);
  print_out(line.given("json") ? report.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"
                               : metrics_table(report));
  flush_out();
  return 0;
}

}  // namespace semblance
