// semblance evaluate RUN DATA [options], evaluate --vectors FILE ROWS [options], evaluate --tfidf TEXTS ROWS
// [options]
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>

#include "apps/output.h"
#include "apps/serving.h"
#include "apps/verbs.h"
#include "data/text/term_vectors.h"
#include "training/measures/ranking.h"
#include "training/serving/text_encoder.h"
#include "training/tasks/open_words.h"

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

// Every text of the lines of `path`, between tabs.
void for_each_text(const std::string& path, const std::function<void(std::string_view)>& visit) {
  for_each_line(path, [&](std::string_view row, bool) {
    while (!row.empty()) {
      const auto field = row.substr(0, row.find('\t'));
      row.remove_prefix(std::min(field.size() + 1, row.size()));
      if (!field.empty()) visit(field);
    }
  });
}

struct WordWeightOptions {
  WordWeighting weighting = WordWeighting::None;
  double sif_a = 0.001;

  void fields(FieldList& list) {
    list.add("token-weights", weighting,
             {.help = "idf: words count the more the fewer texts have them; sif: a / (a + their share of all "
                      "words), and what the texts' means have in common is taken away"});
    list.add("sif-a", sif_a, {.help = "sif: a", .min = 1e-9, .max = 1e3});
  }
};

void print_report(const Json& report, const CommandLine& line) {
  print_out(line.given("json") ? json_line(report) + "\n" : metrics_table(report));
}

// Counts the different texts of `path`, each once, and shows them to `remover`, if there is one.
void fit(const std::string& path, const TextPipeline& pipeline, WordWeights& weights,
         CommonComponentRemover* remover) {
  WordTable seen;
  TokenBuffer buffer;
  for_each_text(path, [&](std::string_view text) {
    const int32_t known = seen.size();
    if (seen.add(text) < known) return;
    pipeline.tokenize(text, buffer);
    weights.add(buffer.tokens);
  });
  if (seen.size() == 0)
    throw Error(ErrorKind::Data, "{}: expected texts to count words in, found none", path);
  print_note(fmt::format("{}: {} different texts", path, weights.texts()));
  constexpr int32_t kAtOnce = 16384;
  for (int32_t first = 0; remover && first < seen.size(); first += kAtOnce) {
    Texts part;
    for (int32_t text = first; text < std::min(seen.size(), first + kAtOnce); ++text)
      part.push_back(seen[text]);
    remover->fit(part);
  }
}

// Hits@K of the mean of word vectors.
int evaluate_vectors(Arguments arguments) {
  CommandLine line(
      "evaluate --vectors FILE ROWS [options]",
      "Ranks the duplicate of each question among other candidates by the mean of the words' vectors. Rows "
      "hold\na question, its duplicate and negatives, or texts with a score.");
  VectorFileOptions file;
  WordWeightOptions weighting;
  TextOptions text;
  RankingOptions ranking;
  RankedRowOptions rows;
  line.add_option("Vectors", "vectors", "FILE", "word vectors in any format");
  line.add_fields(file, "Vectors");
  add_oov_option(line, "Vectors");
  line.add_fields(weighting, "Weights of the words");
  line.add_option("Weights of the words", "fitted-on", "TEXTS",
                  "the texts to count words in, tab-separated, and to find in what means have in common",
                  "ROWS");
  line.add_fields(text, "Cleaning and tokens");
  line.add_fields(ranking, "Ranking");
  line.add_fields(rows, "Ranking");
  ThreadOptions threads;
  line.add_fields(threads, "Ranking");
  line.add_flag("Output", "json", "print JSON");
  if (!line.parse(arguments)) return 0;
  const auto& given = line.positional(1, 1);
  line.apply_fields(file);
  line.apply_fields(weighting);
  line.apply_fields(text);
  line.apply_fields(ranking);
  line.apply_fields(rows);
  line.apply_fields(threads);
  set_threads(threads.threads);
  const bool weighted = weighting.weighting != WordWeighting::None;
  for (const char* option : {"fitted-on", "sif-a"})
    if (line.given(option) && !weighted)
      throw Error(ErrorKind::Usage, "--{}: expected --token-weights beside it, found none", option);
  const auto fitted_on = line.last("fitted-on").value_or(given[0]);
  std::error_code ignored;
  if (weighted && !line.given("fitted-on") &&
      (fitted_on == "-" || (std::filesystem::exists(fitted_on, ignored) &&
                            !std::filesystem::is_regular_file(fitted_on, ignored))))
    throw Error(ErrorKind::Usage, "--token-weights: expected a file of rows, or --fitted-on, found a stream");
  const Clock clock;
  std::shared_ptr<const WordPiece> pieces;
  const auto vectors = open_word_vectors(*line.last("vectors"), file, print_note, &pieces);
  if (pieces && !line.given("tokenizer")) text.tokenizer = Tokenizer::WordPiece;
  const TextPipeline pipeline(text, pieces);
  const auto oov = open_oov(line, vectors);
  WordWeights weights(weighting.weighting, weighting.sif_a);
  MeanVectorEncoder mean(vectors, pipeline, oov.get(), weighted ? &weights : nullptr);
  CommonComponentRemover remover(mean);
  const bool remove = weighting.weighting == WordWeighting::Sif;
  if (weighted) fit(fitted_on, pipeline, weights, remove ? &remover : nullptr);
  TextEncoder& encoder = remove ? static_cast<TextEncoder&>(remover) : mean;
  RowProgress progress;
  const Clock ranking_clock;
  Json report = evaluate_ranking(encoder, given[0], {rows}, ranking, print_note,
                                 [&](int64_t done) { progress.show(done); });
  progress.clear();
  report["ranking_seconds"] = ranking_clock.seconds();
  report["seconds"] = clock.seconds();
  print_report(report, line);
  return 0;
}

// Hits@K of TF-IDF or BM25.
int evaluate_terms(Arguments arguments) {
  CommandLine line(
      "evaluate --tfidf TEXTS ROWS [options]",
      "Ranks the duplicate of each question among other candidates by the terms they share, without "
      "a model.\nHow much a term counts is learnt from TEXTS, where every text of a line, between "
      "tabs, is a document.\nRows hold a question, its duplicate and negatives, or texts with a score.");
  TermOptions terms;
  TextOptions text;
  RankingOptions ranking;
  RankedRowOptions rows;
  ThreadOptions threads;
  line.add_option("Terms", "tfidf", "TEXTS", "the texts to count terms in");
  line.add_fields(terms, "Terms");
  line.add_fields(text, "Cleaning and tokens");
  line.add_fields(ranking, "Ranking");
  line.add_fields(rows, "Ranking");
  line.add_fields(threads, "Ranking");
  line.add_flag("Output", "json", "print JSON");
  if (!line.parse(arguments)) return 0;
  const auto& given = line.positional(1, 1);
  line.apply_fields(terms);
  line.apply_fields(text);
  line.apply_fields(ranking);
  line.apply_fields(rows);
  line.apply_fields(threads);
  set_threads(threads.threads);
  const Clock clock;
  const TextPipeline pipeline(text);
  TermVectors vectors(pipeline, terms);
  const auto fitted_on = *line.last("tfidf");
  for_each_text(fitted_on, [&](std::string_view one) { vectors.fit(one); });
  if (vectors.terms() == 0)
    throw Error(ErrorKind::Data, "{}: expected texts to count terms in, found none", fitted_on);
  print_note(fmt::format("{}: {} texts, {} terms", fitted_on, vectors.documents(), vectors.terms()));
  RowProgress progress;
  const Clock ranking_clock;
  Json report = evaluate_ranking(vectors, given[0], {rows}, ranking, print_note,
                                 [&](int64_t done) { progress.show(done); });
  progress.clear();
  report["ranking_seconds"] = ranking_clock.seconds();
  report["seconds"] = clock.seconds();
  print_report(report, line);
  return 0;
}

}  // namespace

std::vector<std::vector<std::string>> evaluate_forms() {
  return {{}, {"--vectors", "FILE"}, {"--tfidf", "TEXTS"}};
}

int run_evaluate(Arguments arguments) {
  const auto given_option = [&](std::string_view name) {
    return std::ranges::any_of(arguments, [&](const std::string& argument) {
      return argument == name || argument.starts_with(std::string(name) + "=");
    });
  };
  if (given_option("--vectors")) return evaluate_vectors(arguments);
  if (given_option("--tfidf")) return evaluate_terms(arguments);
  CommandLine line(
      "evaluate RUN DATA [DATA …] [options]",
      "Measures a trained model: sentiment on labelled texts; dssm on rows of a question, its duplicate and\n"
      "negatives; trigram on a set of word similarities, and on the words that its training held\n"
      "out; word2vec on analogies or word similarities. Without a model: the ranking of word vectors and of\n"
      "TF-IDF, see semblance evaluate --vectors FILE --help and semblance evaluate --tfidf TEXTS --help.");
  add_serving_options(line);
  add_evaluation_options(line);
  if (!line.parse(arguments)) return 0;
  const auto& given = line.positional(2, 1000);
  const Clock clock;
  auto served = open_served(line, given[0], "can be evaluated",
                            [](const TaskKind& kind) { return kind.make_evaluation != nullptr; });
  auto& model = dynamic_cast<Evaluable&>(*served.model);
  apply_evaluation_options(line, served);
  RowProgress progress;
  Json report =
      model.evaluate(std::span(given).subspan(1), print_note, [&](int64_t rows) { progress.show(rows); });
  progress.clear();
  report["seconds"] = clock.seconds();
  report["run"] = served.location.run.string();
  report["checkpoint"] = served.location.name;
  report["step"] = served.checkpoint.training.step;
  report["epoch"] = served.checkpoint.training.epoch;
  print_report(report, line);
  return 0;
}

}  // namespace semblance
