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
    "about after all and because before could each from give good have here house just know like little "
    "many night nothing other over right should that the there thing this very water we what when where",
    "après aussi autre avant avec beaucoup ce cette chez chose dans elle encore enfant être homme il jamais "
    "jour la leur mais même nous où parce petit peut pour quand quelque qui rien sans sont toujours une",
    "aber alle auch auf aus bei das dein der die doch durch ein etwas frau für ganz gehen gut haben hier "
    "ich immer jetzt kann machen mehr mit müssen nicht noch oder schon sehr sich sind und viel wenn wir"};
constexpr NgramOptions kLetters{.longest_chars = 4, .shortest_chars = 1, .char_buckets = 1 << 14};
constexpr auto kLoss = ClassificationLoss::CrossEntropy;

// Phrases of one or more words as the hashed n-grams of the words' letters, each with its language.
struct Phrases {
  RaggedIds ngrams, languages;
  void add(const std::string& text, int32_t language) {
    std::istringstream words(text);
    for (std::string word; words >> word;) append_char_ngrams(word, 0, kLetters, ngrams.values);
    ngrams.close_row();
    languages.push_back(std::array{language});
  }
  int64_t size() const { return ngrams.size(); }
  TextBatch batch(std::span<const int64_t> rows, uint64_t /*key to random choices*/) const {
    TextBatch batch = collate(ngrams, rows, {});
    batch.targets = collate(languages, rows, {}).ids;
    return batch;
  }
};

// Logistic regression: a text's score for each language is the mean of its n-grams' scores.
struct NetImpl : torch::nn::Module {
  torch::nn::EmbeddingBag scores{kLetters.char_buckets, 3};
  NetImpl() { register_module("scores", scores)->weight.detach().zero_(); }
  at::Tensor forward(const TextBatch& batch) { return scores(batch.ids, batch.offsets.slice(0, 0, -1)); }
};
TORCH_MODULE(Net);

// All that the trainer knows of it (training/task.h).
struct LanguageTask {
  using Batch = TextBatch;
  using Measure = ClassificationMetrics;
  static constexpr MetricInfo kMetrics[] = {{"accuracy", true}, {"loss", false}};  // with their directions
  Net net;
  torch::nn::Module& module() { return *net; }
  LossSum loss(const Batch& batch) { return classification_loss(net(batch), batch.targets, kLoss); }
  Measure measure(const Phrases&) const { return {kLanguages, /*sets=*/false}; }
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
  LanguageJob job;
  job.training.epochs = parse_integer(argv[2], "EPOCHS", {.min = 1});
  RunRequest request{.run = RunFolder(argv[1]), .notice = [](auto& line) { std::cerr << line << "\n"; }};
  if (request.run.exists()) {  // goes on where it ended or was killed
    request.mode = RunMode::Resume;
    find_resume_point(request);
  }
  const auto device = begin_training(job.training, request);
  Phrases train, valid, test;
  for (int32_t language = 0; language < 3; ++language) {
    std::istringstream words(kWords[language]);
    for (auto [i, word] = std::pair(0, std::string()); words >> word; ++i)
      (i % 5 == 4 ? valid : i % 5 == 2 ? test : train).add(word, language);
  }
  const ShuffledSampler order(train.size(), job.training.seed);
  LanguageTask task;
  move_to(*task.net, device);
  const Json report = run_training(task, job, device, request, batches_of(job, train, order), &valid, &test);
  std::cout << "accuracy on words never seen: " << report["test"]["accuracy"] << "\n";
  for (const std::string text : std::span(argv + 3, argv + argc)) {
    Phrases one;
    one.add(text, 0);
    const auto scores = task.net(one.batch(std::array{int64_t{0}}, 0).to(device));
    std::cout << text << ": " << kLanguages.at(scores.argmax().item<int64_t>()) << "\n";
  }
} catch (const Error& error) {
  std::cerr << error.what() << "\n";
  return error.exit_code();
}
