// semblance evaluate RUN DATA [options], semblance evaluate --vectors FILE ROWS [options]
#include <algorithm>
#include <chrono>

#include "apps/output.h"
#include "apps/serving.h"
#include "apps/verbs.h"
#include "training/device.h"
#include "training/ranking.h"
#include "training/tasks/dssm.h"
#include "training/tasks/sentiment.h"
#include "training/tasks/trigram.h"
#include "training/threads.h"
#include "training/vector_evaluation.h"

namespace semblance {
namespace {

class Clock {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

void print_report(const Json& report, const CommandLine& line) {
  print_out(line.given("json") ? report.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"
                               : metrics_table(report));
}

// Hits@K of the mean of word vectors.
int evaluate_vectors(Arguments arguments) {
  CommandLine line(
      "evaluate --vectors FILE ROWS [options]",
      "Ranks the duplicate of each question among other candidates by the mean of the words' vectors. Rows "
      "hold\na question, its duplicate and negatives, between tabs.");
  VectorFileOptions file;
  TextOptions text;
  RankingOptions ranking;
  line.add_option("Vectors", "vectors", "FILE", "word vectors in any format");
  line.add_fields(file, "Vectors");
  add_oov_option(line, "Vectors");
  line.add_fields(text, "Cleaning and tokens");
  line.add_fields(ranking, "Ranking");
  line.add_option("Ranking", "threads", "N", "threads to compute with; 0: one for each CPU it may use", "0");
  line.add_flag("Output", "json", "print JSON");
  if (!line.parse(arguments)) return 0;
  const auto& given = line.positional(1, 1);
  line.apply_fields(file);
  line.apply_fields(text);
  line.apply_fields(ranking);
  set_threads(
      parse_integer(line.last("threads").value_or("0"), "threads", Field{.help = "", .min = 0, .max = 1024}));
  const Clock clock;
  const TextPipeline pipeline(text);
  const auto vectors = WordVectors::load(*line.last("vectors"), file, print_note);
  const auto oov = open_oov(line, vectors.dim());
  MeanVectorEncoder encoder(vectors, pipeline, oov.get());
  RowProgress progress;
  const Clock ranking_clock;
  Json report = evaluate_ranking(encoder, given[0], file.bad_rows, ranking, print_note,
                                 [&](int64_t rows) { progress.show(rows); });
  progress.clear();
  report["ranking_seconds"] = ranking_clock.seconds();
  report["seconds"] = clock.seconds();
  print_report(report, line);
  return 0;
}

// What `evaluate RUN DATA` does for a task, and the options that only it has.
struct Evaluator {
  const char* task;
  Json (*evaluate)(const CommandLine& line, const ServedCheckpoint& served,
                   std::span<const std::string> data);
};

Json evaluate_sentiment(const CommandLine& line, const ServedCheckpoint& served,
                        std::span<const std::string> data) {
  line.expect_none_of<WordSetOptions>("a sentiment model");
  line.expect_none_of<RankingOptions>("a sentiment model");
  SentimentModel model(served.checkpoint, served.location.path().string(),
                       resolve_device(device_choice(line)));
  auto layout = model.job().input;
  line.apply_fields(layout);
  return model.evaluate_files(data, layout, print_note);
}

Json evaluate_trigram(const CommandLine& line, const ServedCheckpoint& served,
                      std::span<const std::string> data) {
  line.expect_none_of<InputOptions>("a trigram model");
  line.expect_none_of<RankingOptions>("a trigram model");
  if (data.size() != 1) throw Error(ErrorKind::Usage, "expected one set of words, found {}", data.size());
  const TrigramModel model(served.checkpoint, served.location.path().string());
  WordSetOptions options;
  line.apply_fields(options);
  Json report = {{"task", TrigramJob::kTask}};
  report.update(evaluate_word_set(model, data[0], options));
  report["task"] = TrigramJob::kTask;
  try {
    report["held_out"] = model.evaluate_held_out(resolve_device(device_choice(line)), [](const auto&) {});
  } catch (const Error& error) {
    print_note(fmt::format("warning: the held-out words are not measured: {}", error.what()));
  }
  return report;
}

Json evaluate_dssm(const CommandLine& line, const ServedCheckpoint& served,
                   std::span<const std::string> data) {
  line.expect_none_of<WordSetOptions>("a dssm model");
  line.expect_none_of<InputOptions>("a dssm model", "bad-rows");
  if (data.size() != 1)
    throw Error(ErrorKind::Usage, "expected one file of rows to rank, found {}", data.size());
  DssmModel model(served.checkpoint, served.location.path().string(), resolve_device(device_choice(line)));
  InputOptions layout;
  layout.bad_rows = model.job().data.bad_rows;
  line.apply_fields(layout);
  auto ranking = model.job().ranking;
  line.apply_fields(ranking);
  RowProgress progress;
  Json report = {{"task", DssmJob::kTask}};
  report.update(evaluate_ranking(model, data[0], layout.bad_rows, ranking, print_note,
                                 [&](int64_t rows) { progress.show(rows); }));
  report["task"] = DssmJob::kTask;
  progress.clear();
  return report;
}

constexpr Evaluator kEvaluators[] = {{SentimentJob::kTask, evaluate_sentiment},
                                     {TrigramJob::kTask, evaluate_trigram},
                                     {DssmJob::kTask, evaluate_dssm}};

}  // namespace

int run_evaluate(Arguments arguments) {
  const auto names_vectors = [](const std::string& argument) {
    return argument == "--vectors" || argument.starts_with("--vectors=");
  };
  if (std::ranges::any_of(arguments, names_vectors)) return evaluate_vectors(arguments);
  CommandLine line(
      "evaluate RUN DATA [DATA …] [options]",
      "Measures a trained model: sentiment on labelled texts; dssm on rows of a question, its duplicate and\n"
      "negatives; trigram on a set of word similarities, and on the words that its training held\n"
      "out. With --vectors FILE: the ranking of word vectors, see\n"
      "semblance evaluate --vectors FILE --help.");
  add_serving_options(line);
  line.add_fields(InputOptions{}, "Sentiment: layout of the files (the run's own unless given)");
  line.add_fields(WordSetOptions{}, "Trigram: words");
  line.add_fields(RankingOptions{}, "Dssm: ranking (the run's own unless given)");
  if (!line.parse(arguments)) return 0;
  const auto& given = line.positional(2, 1000);
  const Clock clock;
  const auto served = open_checkpoint(line, given[0]);
  const auto& evaluator = find_task_entry(kEvaluators, served, "can be evaluated");
  Json report = evaluator.evaluate(line, served, std::span(given).subspan(1));
  report["seconds"] = clock.seconds();
  report["run"] = served.location.run.string();
  report["checkpoint"] = served.location.name;
  report["step"] = served.checkpoint.training.value("step", 0);
  report["epoch"] = served.checkpoint.training.value("epoch", 0);
  print_report(report, line);
  return 0;
}

}  // namespace semblance
