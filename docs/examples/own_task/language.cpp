// Which language is it? A task of one's own on semblance's trainer: data, module, loss and measure are here;
// the loop, the run folder, checkpoints, exact resume, metrics and curves are semblance's.
#include <torch/nn/modules/embedding.h>

#include <iostream>
#include <sstream>

#include "data/batch.h"
#include "data/text/ngrams.h"
#include "training/measures/classification.h"
#include "training/run_training.h"

using namespace semblance;

const std::vector<std::string> kLanguages = {"English", "French", "German"};
const std::vector<std::string> kWords = {
    "about after all and because before could each from give good have here house just know like little made "
    "many more "
    "night nothing other over people right should that the there thing think this very water we what when "
    "where which",
    "après aussi autre avant avec beaucoup bien ce cette chez chose dans depuis elle encore enfant être "
    "faire homme il "
    "jamais jour leur mais même monde nous où parce petit peut pour quand quelque qui rien sans sont "
    "toujours une vous",
    "aber alle auch auf aus bei das dass dein der die doch durch ein etwas frau für ganz gehen gut haben "
    "hier ich immer "
    "jetzt kann können machen mehr mensch mit müssen nicht noch oder schon sehr sich sind und viel wenn "
    "werden wir zeit"};
constexpr NgramOptions kLetters{.longest_chars = 4, .shortest_chars = 1, .char_buckets = 1 << 14};
constexpr auto kLoss = ClassificationLoss::CrossEntropy;

// Texts as the hashed n-grams of their words' letters, each with its language.
struct Texts {
  RaggedIds ngrams;
  std::vector<int64_t> languages;

  void add(const std::string& text, int64_t language) {
    std::istringstream words(text);
    for (std::string word; words >> word;) append_char_ngrams(word, 0, kLetters, ngrams.values);
    ngrams.close_row();
    languages.push_back(language);
  }
  int64_t size() const { return ngrams.size(); }
  TextBatch batch(std::span<const int64_t> rows, uint64_t /*key of random choices*/) const {
    TextBatch batch = collate(ngrams, rows, {});
    std::vector<int64_t> targets;
    for (const int64_t row : rows) targets.push_back(languages.at(row));
    batch.targets = torch::tensor(targets);
    return batch;
  }
};

// Logistic regression: the mean of the n-grams' scores for each language.
struct NetImpl : torch::nn::Module {
  torch::nn::EmbeddingBag scores{
      torch::nn::EmbeddingBagOptions(kLetters.char_buckets, 3).include_last_offset(true)};
  NetImpl() { register_module("scores", scores)->weight.detach().zero_(); }
  at::Tensor forward(const TextBatch& batch) { return scores(batch.ids, batch.offsets); }
};
TORCH_MODULE(Net);

// All that the trainer knows of it (training/task.h).
struct LanguageTask {
  using Batch = TextBatch;
  using Measure = ClassificationMetrics;
  static constexpr MetricInfo kMetrics[] = {{"accuracy", true}, {"loss", false}};
  Net net;

  torch::nn::Module& module() { return *net; }
  LossSum loss(const Batch& batch) { return classification_loss(net(batch), batch.targets, kLoss); }
  Measure measure(const Texts&) const { return {kLanguages, /*sets=*/false}; }
  void observe(const Batch& batch, Measure& measure) { measure.add(net(batch), batch.targets, loss(batch)); }
  std::span<const MetricInfo> metrics() const { return kMetrics; }
  Json model_info() const { return {{"languages", kLanguages}}; }  // kept in every checkpoint
  std::map<std::string, std::string> files() const { return {}; }
};

struct LanguageJob : Job {
  std::string_view task() const override { return "language"; }
  void sections(SectionList& list) override { list.add("training", training, "Training"); }
};

int main(int argc, char** argv) try {
  if (argc < 3) throw Error(ErrorKind::Usage, "usage: language RUN EPOCHS [TEXT…]");
  install_signal_handlers();  // Ctrl-C finishes the step and writes a checkpoint
  LanguageJob job;
  job.training.epochs = parse_integer(argv[2], "EPOCHS", {.min = 1});
  RunRequest request{.run = RunFolder(argv[1]), .notice = [](auto& line) { std::cerr << line << "\n"; }};
  if (request.run.exists()) {  // then it goes on where it ended
    request.mode = RunMode::Resume;
    request.resume_point = find_resume_point(request.run, request.notice);
  }
  const auto device = begin_training(job.training, request);
  Texts train, valid, test;
  for (size_t language = 0; language < kLanguages.size(); ++language) {
    std::istringstream words(kWords[language]);
    for (auto [i, word] = std::pair(0, std::string()); words >> word; ++i)
      (i % 5 == 4 ? valid : i % 5 == 2 ? test : train).add(word, static_cast<int64_t>(language));
  }
  const ShuffledSampler shuffled(train.size(), static_cast<uint64_t>(job.training.seed));
  LanguageTask task;
  move_to(*task.net, device);
  const Json report =
      run_training(task, job, device, request, batches_of(job, train, shuffled), &valid, &test);
  if (noted_signal() != 0) return 128 + noted_signal();
  std::cout << fmt::format("{} at epoch {}, accuracy {:.2f}\n", report["stopped"].get<std::string>(),
                           report["epoch"].get<int64_t>(), report["test"]["accuracy"].get<double>());
  for (const std::string text : std::span(argv + 3, argv + argc)) {
    Texts one;
    one.add(text, 0);
    const auto scores = task.net(one.batch(std::vector<int64_t>{0}, 0).to(device));
    std::cout << fmt::format("{:<8} {}\n", kLanguages.at(scores.argmax().item<int64_t>()), text);
  }
  return 0;
} catch (const Error& error) {
  std::cerr << error.what() << "\n";
  return error.exit_code();
}
