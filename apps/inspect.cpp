// semblance inspect RUN|CHECKPOINT [options]
#include <filesystem>

#include <fmt/ranges.h>

#include "apps/output.h"
#include "apps/serving.h"
#include "apps/verbs.h"
#include "training/serving/layer_table.h"

namespace semblance {

int run_inspect(Arguments arguments) {
  CommandLine line("inspect RUN|CHECKPOINT [options]", "Verifies a checkpoint and shows what it holds.");
  line.add_option("Model", "checkpoint", "best|last|NAME", "which checkpoint of the run", "best");
  line.add_flag("Output", "json", "print one JSON object");
  if (!line.parse(arguments)) return 0;
  const auto location = locate_checkpoint(line.positional(1, 1)[0], line.last("checkpoint").value_or("best"));
  const Json manifest = verify_checkpoint(location.path());
  const auto layers =
      open_model(location.path().string(), location.name, at::kCPU, "can be inspected", [](const TaskKind&) {
        return true;
      }).model->layers();

  const RunFolder run(location.run);
  uint64_t bytes = 0;
  for (const auto& file : manifest.at("files")) bytes += file.at("size").get<uint64_t>();
  int64_t parameters = 0;
  for (const auto& layer : layers) parameters += layer.parameters;
  const Json& training = manifest.at("training");
  Json report = {{"run", location.run.string()},
                 {"checkpoint", location.name},
                 {"task", manifest.at("task")},
                 {"content", manifest.at("content")},
                 {"epoch", training.at("epoch")},
                 {"step", training.at("step")},
                 {"stopped", training.at("stopped")},
                 {"parameters", parameters},
                 {"bytes", bytes},
                 {"checkpoints", run.checkpoints()},
                 {"best", run.best()},
                 {"last", run.last()},
                 {"model", manifest.at("model")},
                 {"metrics", training.at("history").empty()
                                 ? Json::object()
                                 : training.at("history").back().value("valid", Json::object())},
                 {"layers", layers_json(layers)},
                 {"tensors", manifest.at("tensors")},
                 {"files", manifest.at("files")},
                 {"config", manifest.at("config")}};
  if (line.given("json")) {
    print_out(json_line(report) + "\n");
  } else {
    std::string text;
    for (const char* key : {"run", "checkpoint", "task", "content", "epoch", "step", "stopped", "parameters",
                            "bytes", "best", "last"})
      text += fmt::format("{:<12} {}\n", key,
                          report[key].is_string() ? report[key].get<std::string>() : report[key].dump());
    text += fmt::format("{:<12} {}\n", "checkpoints", fmt::join(run.checkpoints(), " "));
    text += "\nmodel\n";
    for (const auto& [key, value] : report["model"].items()) {
      const auto shown = value.dump();
      text += fmt::format("  {:<16} {:.100}{}\n", key, shown, shown.size() > 100 ? "…" : "");
    }
    text += "\n";
    for (const auto& row : layer_lines(layers)) text += row + "\n";
    text += "\ntensors\n";
    for (const auto& tensor : report["tensors"])
      text += fmt::format("  {:<28} {:<10} {}\n", tensor["name"].get<std::string>(),
                          tensor["type"].get<std::string>(), tensor["shape"].dump());
    if (!report["metrics"].empty()) text += "\nvalidation\n" + metrics_table(report["metrics"]);
    text += "\nconfiguration\n" + write_toml(report["config"]);
    print_out(text);
  }
  return 0;
}

}  // namespace semblance
