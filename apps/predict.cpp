#include "apps/predict.h"

#include "apps/answers.h"
#include "apps/output.h"
#include "apps/serving_options.h"
#include "data/readers/labelled_texts.h"

namespace semblance {
namespace {

// Whether options say how the file is laid out, so that it is not as the training files.
bool gives_layout(const CommandLine& line) {
  InputOptions options;
  for (const auto& field : fields_of(options))
    if (field.name != "bad-rows" && field.name != "encoding" && line.given(field.name)) return true;
  return false;
}

}  // namespace

int predict(Arguments arguments, const OpenClassifier& open) {
  CommandLine line("predict RUN [FILE|-] [options]",
                   "Prints a JSON line for each text, in order: {\"label\":…,\"probability\":…}, or, for a "
                   "multi-label model "
                   "and\nwith --top-k or --threshold, {\"labels\":[…],\"probabilities\":[…]}; with "
                   "\"known\":false where the "
                   "model knows\nno word of the text. FILE is laid out as the training files were, and gets "
                   "an answer a row, "
                   "for the text\nalone, beside its further columns; or else it holds a text a line.");
  add_serving_options(line);
  InputOptions layout;
  AnswerOptions options;
  line.add_fields(options, "Answers");
  line.add_fields(layout, "Layout of the file");
  if (!line.parse(arguments)) return 0;
  const auto& given = line.positional(1, 2);
  line.apply_fields(options);
  line.apply_fields(layout);
  const auto opened = open(line, given[0]);
  auto& model = *opened;

  constexpr int64_t kMostAtOnce = 256;
  Answers answers(options, model.is_multi_label(), model.classes());
  Texts texts;
  int64_t unknown = 0;
  const auto answer = [&] {
    std::vector<Prediction> predictions;
    if (texts.size() > 0) predictions = model.predict(texts, options.predict);
    for (const auto& prediction : predictions) unknown += !prediction.known;
    answers.print(predictions);
    texts = {};
    flush_out();
  };
  const std::string path = given.size() > 1 ? given[1] : "-";
  Expected expected = model.expected_input();
  if (gives_layout(line))
    expected.layout = nullptr;
  else if (!expected.layout)
    layout.format = InputFormat::Lines;
  auto report = read_texts(
      path, layout, expected,
      [&](const Layout& found) {
        print_note(fmt::format("{}: read as {}: an answer for each {}", path, found.description(),
                               found.delimited() ? "row" : "line"));
        answers.begin(found);
      },
      [&](const ReadText& row) {
        if (!row.left_out) texts.push_back(row.text);
        answers.keep(row);
        if (row.may_wait || answers.waiting() == kMostAtOnce) answer();
      });
  if (answers.waiting() > 0) answer();
  report.layout.clear();  // it was told before the first answer
  report.tell(path, print_note);
  if (unknown > 0)
    print_note(
        fmt::format("warning: {} of {} text(s) have no word that the model knows", unknown, report.rows));
  return 0;
}

}  // namespace semblance
