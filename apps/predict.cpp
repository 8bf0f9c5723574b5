// semblance predict RUN [FILE|-] [options]
#include "apps/output.h"
#include "apps/serving.h"
#include "apps/verbs.h"
#include "training/device.h"
#include "training/tasks/sentiment.h"

namespace semblance {
namespace {

std::string to_line(const Prediction& prediction, bool sets) {
  Json json;
  if (sets) {
    json["labels"] = prediction.labels;
    json["probabilities"] = prediction.probabilities;
  } else {
    json["label"] = prediction.labels[0];
    json["probability"] = prediction.probabilities[0];
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

int run_predict(Arguments arguments) {
  CommandLine line(
      "predict RUN [FILE|-] [options]",
      "Prints a JSON line for each text, in order: {\"label\":…,\"probability\":…}, or, where texts have "
      "sets of labels,\n"
      "{\"labels\":[…],\"probabilities\":[…]}. Texts come one a line unless --input-format says otherwise.");
  add_serving_options(line);
  InputOptions layout;
  layout.format = InputFormat::Lines;
  line.add_fields(layout, "Layout of the file");
  if (!line.parse(arguments)) return 0;
  const auto& given = line.positional(1, 2);
  line.apply_fields(layout);
  const auto served = open_checkpoint(line, given[0]);
  SentimentModel model(served.checkpoint, served.location.path().string(),
                       resolve_device(device_choice(line)));

  constexpr size_t kMostAtOnce = 256;
  std::vector<std::string> texts;
  int64_t unknown = 0;
  const auto answer = [&] {
    for (const auto& prediction : model.predict(texts)) {
      print_out(to_line(prediction, model.predicts_sets()));
      unknown += !prediction.known;
    }
    texts.clear();
    flush_out();
  };
  const auto report =
      read_texts(given.size() > 1 ? given[1] : "-", layout, [&](std::string_view text, bool may_wait) {
        texts.emplace_back(text);
        if (may_wait || texts.size() == kMostAtOnce) answer();
      });
  if (!texts.empty()) answer();
  if (report.skipped > 0)
    print_note(
        fmt::format("warning: left out {} bad row(s), the first: {}", report.skipped, report.first_skipped));
  if (report.invalid_utf8 > 0)
    print_note(
        fmt::format("warning: {} text(s) with ill-formed UTF-8, which became U+FFFD", report.invalid_utf8));
  if (unknown > 0)
    print_note(
        fmt::format("warning: {} of {} text(s) have no word that the model knows", unknown, report.rows));
  return 0;
}

}  // namespace semblance
