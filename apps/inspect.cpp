// semblance inspect RUN|CHECKPOINT [options]
#include <algorithm>
#include <filesystem>

#include <fmt/ranges.h>

#include "apps/output.h"
#include "apps/serving.h"
#include "apps/verbs.h"
#include "training/serving/layer_table.h"
#include "training/small_file.h"

namespace semblance {
namespace {

struct InspectOptions {
  std::string checkpoint = "best";
  int64_t top_words = 0;

  void fields(FieldList& list) {
    list.add("checkpoint", checkpoint, {.help = "which checkpoint of the run", .hint = "best|last|NAME"});
    list.add("top-words", top_words,
             {.help = "linear and mean classifiers: so many words that speak most for and against each class",
              .min = 0,
              .max = 1e6});
  }
};

constexpr int kWordWidth = 24;

Json coefficients_json(const std::vector<Coefficient>& words) {
  Json list = Json::array();
  for (const auto& [word, value] : words) list.push_back({{"word", word}, {"coefficient", value}});
  return list;
}

Json top_words_json(const std::vector<ClassCoefficients>& classes) {
  Json list = Json::array();
  for (const auto& one : classes)
    list.push_back({{"label", one.label},
                    {"largest", coefficients_json(one.largest)},
                    {"smallest", coefficients_json(one.smallest)}});
  return list;
}

std::string top_words_table(const std::vector<ClassCoefficients>& classes) {
  std::string text;
  const auto column = [](const std::vector<Coefficient>& words, size_t i) {
    return i < words.size() ? fmt::format("{:<{}} {:>8.3f}", words[i].word, kWordWidth, words[i].value)
                            : std::string(kWordWidth + 9, ' ');
  };
  for (const auto& one : classes) {
    text += fmt::format("\nwords for and against {}\n", one.label);
    for (size_t i = 0; i < std::max(one.largest.size(), one.smallest.size()); ++i)
      text += fmt::format("  {}    {}\n", column(one.largest, i), column(one.smallest, i));
  }
  return text;
}

// What LAST or BEST names. One that is broken is told of, and keeps nobody from looking at a checkpoint.
std::string named(const RunFolder& run, std::string (RunFolder::*pointer)() const) {
  try {
    return (run.*pointer)();
  } catch (const Error& error) {
    print_note(fmt::format("warning: {}", error.what()));
    return {};
  }
}

}  // namespace

int run_inspect(Arguments arguments) {
  CommandLine line("inspect RUN|CHECKPOINT [options]", "Verifies a checkpoint and shows what it holds.");
  InspectOptions options;
  line.add_fields(options, "Model");
  line.add_flag("Output", "json", "print one JSON object");
  if (!line.parse(arguments)) return 0;
  line.apply_fields(options);
  const auto opened = open_model(line.positional(1, 1)[0], options.checkpoint, at::kCPU, "can be inspected",
                                 print_note, [](const TaskKind&) { return true; });
  const auto& location = opened.location;
  if (location.name.empty())
    throw Error(ErrorKind::Model,
                "{}: expected a run or a checkpoint, found a folder of sentence-transformers",
                location.run.string());
  const Json manifest = verify_checkpoint(location.path());
  const auto layers = opened.model->layers();
  std::vector<ClassCoefficients> top_words;
  if (options.top_words > 0) {
    const auto* linear = dynamic_cast<const LinearInWords*>(opened.model.get());
    if (!linear)
      throw Error(ErrorKind::Model, "{}: expected a classifier for --top-words, found {}",
                  location.run.string(), opened.task());
    top_words = linear->coefficients(options.top_words);
  }

  const RunFolder run(location.run);
  uint64_t bytes = 0;
  for (const auto& file : manifest.at("files")) bytes += file.at("size").get<uint64_t>();
  if (is_small_model(location.path())) bytes = std::filesystem::file_size(location.path());
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
                 {"best", named(run, &RunFolder::best)},
                 {"last", named(run, &RunFolder::last)},
                 {"model", manifest.at("model")},
                 {"metrics", training.at("history").empty()
                                 ? Json::object()
                                 : training.at("history").back().value("valid", Json::object())},
                 {"learnt", opened.model->learnt()},
                 {"layers", layers_json(layers)},
                 {"tensors", manifest.at("tensors")},
                 {"files", manifest.at("files")},
                 {"config", manifest.at("config")}};
  if (const auto* classifier = dynamic_cast<const Classifier*>(opened.model.get()))
    report["labels"] = classifier->classes();
  if (options.top_words > 0) report["top_words"] = top_words_json(top_words);
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
    text += top_words_table(top_words);
    if (!report["learnt"].empty()) text += "\nlearnt\n" + metrics_table(report["learnt"]);
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
