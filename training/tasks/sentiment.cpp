#include "training/tasks/sentiment.h"

#include <torch/types.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>
#include <sstream>

#include "data/split.h"
#include "data/text/tokenized_texts.h"
#include "models/parallel.h"
#include "training/fingerprint.h"
#include "training/tasks/sentiment_task.h"
#include "training/tasks/vocabulary_file.h"

namespace semblance {
namespace {

using Notice = std::function<void(const std::string&)>;

constexpr MetricInfo kMetrics[] = {
    {"accuracy", true}, {"macro_f1", true}, {"micro_f1", true}, {"loss", false}};
constexpr MetricInfo kBinaryMetrics[] = {
    {"accuracy", true}, {"auc", true}, {"macro_f1", true}, {"micro_f1", true}, {"loss", false}};
constexpr MetricInfo kSetMetrics[] = {
    {"micro_f1", true}, {"macro_f1", true}, {"accuracy", true}, {"loss", false}};

Collation collation_of(const ClassifierOptions& model) {
  using Shape = Collation::Shape;
  const bool fixed = model.kind == ClassifierKind::Flat ||
                     (model.pooling == ClassifierPooling::PaddedMean && model.max_length > 0);
  return {.shape = fixed                                            ? Shape::Fixed
                   : model.pooling == ClassifierPooling::PaddedMean ? Shape::Longest
                                                                    : Shape::Ragged,
          .max_length = model.max_length,
          .padding = model.padding,
          .truncation = model.truncation};
}

std::array<double, 3> training_shares(const DataOptions& data) {
  return split_shares(data.split, !data.valid.empty(), !data.test.empty());
}

// Checks that need no data.
void check_options(const SentimentJob& job) {
  const auto usage = [](auto format, const auto&... args) {
    throw Error(ErrorKind::Usage, fmt::format(fmt::runtime(format), args...));
  };
  if (job.data.train.empty()) usage("--train: expected a file of labelled texts, found none");
  training_shares(job.data);
  if (job.model.kind == ClassifierKind::Flat && job.model.max_length == 0)
    usage("--max-length: expected a length for --model flat, found 0");
  if (job.model.kind == ClassifierKind::Flat && job.model.pooling == ClassifierPooling::PaddedMean)
    usage("--pooling: expected mean with --model flat, which does not pool, found padded-mean");
  if (job.model.kind == ClassifierKind::Flat || job.model.pooling == ClassifierPooling::PaddedMean) {
    if (job.ngrams.longest > 1)
      usage("--ngrams: expected 1 with a model of padded texts, found {}", job.ngrams.longest);
    if (job.ngrams.longest_chars > 0)
      usage("--char-ngrams: expected 0 with a model of padded texts, found {}", job.ngrams.longest_chars);
  }
  check_ngrams(job.ngrams);
}

bool is_number(std::string_view text) {
  double value;
  const auto* end = text.data() + text.size();
  return std::from_chars(text.data(), end, value).ptr == end && !text.empty();
}

// Class names in their lasting order: as numbers if all are, else by bytes.
std::vector<std::string> order_classes(const WordTable& names) {
  std::vector<std::string> classes;
  for (int32_t i = 0; i < names.size(); ++i) classes.emplace_back(names[i]);
  const auto value = [](const std::string& text) {
    double v = 0;
    std::from_chars(text.data(), text.data() + text.size(), v);
    return v;
  };
  if (std::ranges::all_of(classes, is_number))
    std::ranges::sort(classes, [&](const auto& a, const auto& b) {
      return value(a) != value(b) ? value(a) < value(b) : a < b;
    });
  else
    std::ranges::sort(classes);
  return classes;
}

// Renumbers the labels of `source` by `classes`; rows with a label that is not among them keep none and are
// counted.
RaggedIds renumber_labels(const LabelledTexts& source, const std::vector<std::string>& classes, bool sets,
                          std::vector<int64_t>& usable, std::string& unknown) {
  WordTable known;
  for (const auto& name : classes) known.add(name);
  RaggedIds labels;
  for (int64_t row = 0; row < source.texts.size(); ++row) {
    const size_t begin = labels.values.size();
    bool is_known = sets || source.labels.length(row) == 1;
    for (const int32_t label : source.labels[row]) {
      const int32_t id = known.find(source.names[label]);
      if (id < 0 && unknown.empty()) unknown = source.names[label];
      is_known &= id >= 0;
      labels.values.push_back(id);
    }
    if (is_known)
      usable.push_back(row);
    else
      labels.values.resize(begin);
    labels.close_row();
  }
  return labels;
}

ClassificationLoss choose_loss(LossChoice choice, size_t classes, bool sets) {
  const auto refuse = [&](std::string_view expected) {
    throw Error(ErrorKind::Usage, "--loss: expected {} for {}, found {}", expected,
                sets ? "sets of labels" : fmt::format("{} classes", classes), enum_name(choice));
  };
  switch (choice) {
    case LossChoice::Auto:
      return sets || classes == 2 ? ClassificationLoss::BceLogits : ClassificationLoss::CrossEntropy;
    case LossChoice::Bce:
    case LossChoice::BceLogits:
      if (!sets && classes != 2) refuse("cross-entropy or nll");
      return choice == LossChoice::Bce ? ClassificationLoss::Bce : ClassificationLoss::BceLogits;
    case LossChoice::CrossEntropy:
    case LossChoice::Nll:
      if (sets) refuse("bce or bce-logits");
      return choice == LossChoice::Nll ? ClassificationLoss::Nll : ClassificationLoss::CrossEntropy;
  }
  throw Error(ErrorKind::Internal, "unknown loss");
}

std::vector<int64_t> count_classes(const RaggedIds& labels, std::span<const int64_t> rows, size_t classes) {
  std::vector<int64_t> counts(classes);
  for (const int64_t row : rows)
    for (const int32_t label : labels[row]) ++counts[static_cast<size_t>(label)];
  return counts;
}

// --class-weights: balanced is n / (classes · count), as scikit-learn has it.
std::vector<double> choose_class_weights(const std::string& choice, const std::vector<int64_t>& counts,
                                         bool sets) {
  if (choice == "none") return {};
  if (sets)
    throw Error(ErrorKind::Usage, "--class-weights: expected none for sets of labels, found {}", choice);
  std::vector<double> weights;
  if (choice == "balanced" || choice == "sqrt-balanced") {
    const auto total = static_cast<double>(std::accumulate(counts.begin(), counts.end(), int64_t{0}));
    for (const int64_t count : counts) {
      const double weight =
          total / (static_cast<double>(counts.size()) * static_cast<double>(std::max<int64_t>(1, count)));
      weights.push_back(choice == "balanced" ? weight : std::sqrt(weight));
    }
    return weights;
  }
  for (const auto& part : split_list(choice))
    weights.push_back(parse_real(part, "class-weights", Field{.help = "", .min = 0}));
  if (weights.size() != counts.size() || std::accumulate(weights.begin(), weights.end(), 0.0) <= 0)
    throw Error(ErrorKind::Usage,
                "--class-weights: expected none, balanced, sqrt-balanced or {} weights, found '{}'",
                counts.size(), choice);
  return weights;
}

// All that training needs, made from the files in a way that depends on the job alone.
struct PreparedData {
  std::unique_ptr<LabelledDataset> train, valid, test;
  ClassifierSetup setup;
};

std::unique_ptr<LabelledDataset> make_dataset(const TokenizedTexts& tokens, const RaggedIds& labels,
                                              std::span<const int64_t> rows, const ClassifierSetup& setup,
                                              const SentimentJob& job) {
  if (rows.empty()) return nullptr;
  return std::make_unique<LabelledDataset>(
      tokens.encode(rows, setup.vocabulary, job.ngrams), select_rows(labels, rows),
      setup.sets ? static_cast<int64_t>(setup.classes.size()) : 0, collation_of(job.model));
}

// Labelled texts of a file for measuring: tokens and labels in the terms of `setup`.
std::unique_ptr<LabelledDataset> read_for_measuring(std::span<const std::string> paths,
                                                    const InputOptions& layout, const TextPipeline& pipeline,
                                                    const ClassifierSetup& setup, const SentimentJob& job,
                                                    int64_t& skipped, const Notice& notice) {
  const auto source = read_labelled_texts(paths, layout);
  report_reading(source.report, paths.front(), notice);
  if (source.sets && !setup.sets)
    throw Error(ErrorKind::Data, "{}: expected one label a text, found sets of labels", paths.front());
  std::vector<int64_t> usable;
  std::string unknown;
  const auto labels = renumber_labels(source, setup.classes, setup.sets, usable, unknown);
  skipped = source.report.skipped;
  if (const auto strange = source.texts.size() - static_cast<int64_t>(usable.size()); strange > 0) {
    if (layout.bad_rows == BadRows::Error)
      throw Error(ErrorKind::Data,
                  "{}: expected labels seen in training ({}), found '{}' in {} row(s); leave such rows out "
                  "with --bad-rows skip",
                  paths.front(), fmt::join(setup.classes, ", "), unknown, strange);
    skipped += strange;
    notice(fmt::format("{}: left out {} row(s) with labels not seen in training, such as '{}'", paths.front(),
                       strange, unknown));
  }
  if (usable.empty())
    throw Error(ErrorKind::Data, "{}: expected labelled texts, found none that can be used", paths.front());
  return make_dataset(tokenize(source.texts, pipeline, compute_threads()), labels, usable, setup, job);
}

std::string fingerprint(const LabelledDataset& train, const LabelledDataset* valid,
                        const Vocabulary& vocabulary) {
  Fingerprint fingerprint;
  for (const auto* data : {&train, valid}) {
    if (!data) continue;
    for (const auto* ids : {&data->texts(), &data->labels()}) {
      fingerprint.add(std::span(ids->values));
      fingerprint.add(std::span(ids->offsets));
    }
  }
  fingerprint.add(vocabulary.serialize());
  return fingerprint.digest();
}

PreparedData prepare(const SentimentJob& job, const TextPipeline& pipeline, const Notice& notice) {
  const auto source = read_labelled_texts(job.data.train, job.input);
  report_reading(source.report, job.data.train.front(), notice);

  PreparedData data;
  auto& setup = data.setup;
  setup.classes = order_classes(source.names);
  setup.sets = source.sets;
  setup.stop_words = pipeline.stop_words();
  if (setup.classes.size() < 2)
    throw Error(ErrorKind::Data, "{}: expected at least two classes, found only '{}'", job.data.train.front(),
                setup.classes.empty() ? "" : setup.classes[0]);
  if (!setup.sets && setup.classes.size() > 100 &&
      setup.classes.size() > static_cast<size_t>(source.texts.size()) / 2)
    throw Error(
        ErrorKind::Data,
        "{}: expected few different labels, found {} in {} rows, such as '{:.40}'; is --label-column right?",
        job.data.train.front(), setup.classes.size(), source.texts.size(), setup.classes[0]);
  std::vector<int64_t> all_rows;
  std::string unknown;
  const auto labels = renumber_labels(source, setup.classes, setup.sets, all_rows, unknown);
  setup.loss = choose_loss(job.model.loss, setup.classes.size(), setup.sets);

  const auto tokens = tokenize(source.texts, pipeline, compute_threads());
  auto groups = all_rows;
  if (!job.data.split_duplicates) groups = tokens.duplicate_groups();
  const auto split = split_rows(groups, training_shares(job.data), static_cast<uint64_t>(job.training.seed));

  setup.vocabulary = Vocabulary(tokens.words, tokens.count(split.train), job.vocabulary);
  const auto counts = count_classes(labels, split.train, setup.classes.size());
  setup.class_weights = choose_class_weights(job.model.class_weights, counts, setup.sets);
  data.train = make_dataset(tokens, labels, split.train, setup, job);
  data.valid = make_dataset(tokens, labels, split.valid, setup, job);
  data.test = make_dataset(tokens, labels, split.test, setup, job);
  if (!data.train)
    throw Error(ErrorKind::Data, "{}: expected texts to train on, found too few for --split",
                job.data.train.front());
  if (std::ranges::count_if(counts, [](int64_t count) { return count > 0; }) < 2)
    throw Error(ErrorKind::Data,
                "{}: expected at least two classes in the training part, found one; check --split",
                job.data.train.front());
  int64_t skipped = 0;
  if (!job.data.valid.empty())
    data.valid = read_for_measuring(job.data.valid, job.input, pipeline, setup, job, skipped, notice);
  if (!job.data.test.empty())
    data.test = read_for_measuring(job.data.test, job.input, pipeline, setup, job, skipped, notice);
  setup.data_fingerprint = fingerprint(*data.train, data.valid.get(), setup.vocabulary);

  const auto size = [](const auto& part) { return part ? part->size() : 0; };
  notice(fmt::format(
      "{} texts to train on, {} to validate, {} to test; {} words; {}", size(data.train), size(data.valid),
      size(data.test), setup.vocabulary.size() - setup.vocabulary.first_word(),
      setup.sets ? fmt::format("sets of {} labels", setup.classes.size())
                 : fmt::format("classes {}", fmt::join(setup.classes | std::views::take(12), ", "))));
  return data;
}

std::unique_ptr<Sampler> make_sampler(const SentimentJob& job, const LabelledDataset& data, bool sets) {
  const auto seed = static_cast<uint64_t>(job.training.seed);
  switch (job.model.sampler) {
    case SamplerKind::Sequential:
      return std::make_unique<SequentialSampler>(data.size());
    case SamplerKind::Shuffled:
      return std::make_unique<ShuffledSampler>(data.size(), seed);
    case SamplerKind::Weighted:
      if (sets)
        throw Error(ErrorKind::Usage,
                    "--sampler: expected shuffled or sequential for sets of labels, found weighted");
      return std::make_unique<WeightedSampler>(
          balancing_weights({data.labels().values.begin(), data.labels().values.end()}, job.model.max_weight),
          seed);
  }
  throw Error(ErrorKind::Internal, "unknown sampler");
}

// Row 2.6: what the batches really held, for each epoch.
class ClassMix : public Callback {
 public:
  ClassMix(const LabelledDataset& data, const Sampler& sampler, const std::vector<std::string>& classes)
      : data_(data), sampler_(sampler), classes_(classes) {}

  void on_epoch(TrainerCore& trainer) override {
    const auto order = sampler_.order(trainer.state().epoch - 1);
    const auto counts = count_classes(data_.labels(), order, classes_.size());
    Json mix = Json::object();
    for (size_t c = 0; c < classes_.size(); ++c)
      mix[classes_[c]] = static_cast<double>(counts[c]) / static_cast<double>(order.size());
    trainer.annotate_epoch("class_mix", std::move(mix));
  }

 private:
  const LabelledDataset& data_;
  const Sampler& sampler_;
  const std::vector<std::string>& classes_;
};

void notice_summary(const TextClassifier& model, const Notice& notice) {
  notice(fmt::format("{:<20} {:<20} {:>12}", "layer", "output", "parameters"));
  int64_t total = 0;
  for (const auto& row : model->summary()) {
    notice(fmt::format("{:<20} {:<20} {:>12}", row.layer, row.output_shape, row.parameters));
    total += row.parameters;
  }
  notice(fmt::format("{:<20} {:<20} {:>12}", "total", "", total));
}

}  // namespace

void report_reading(const ReadReport& report, const std::string& what, const Notice& notice) {
  notice(fmt::format("{}: read as {}, {} texts", what, report.layout, report.rows));
  if (report.skipped > 0)
    notice(fmt::format("warning: {}: left out {} bad row(s), the first: {}", what, report.skipped,
                       report.first_skipped));
  if (report.invalid_utf8 > 0)
    notice(fmt::format("warning: {}: {} text(s) with ill-formed UTF-8, which became U+FFFD", what,
                       report.invalid_utf8));
}

SentimentTask::SentimentTask(const SentimentJob& job, ClassifierSetup setup, c10::Device device)
    : setup_(std::move(setup)) {
  const bool one_logit = is_binary(setup_.loss) && !setup_.sets;
  model_ = TextClassifier(TextClassifierOptions{
      .vocabulary = setup_.vocabulary.size(),
      .ngram_rows = job.ngrams.rows(),
      .dim = job.model.dim,
      .outputs = one_logit ? 1 : static_cast<int64_t>(setup_.classes.size()),
      .hidden = job.model.kind == ClassifierKind::Mlp ? job.model.hidden : std::vector<int64_t>{},
      .activation = job.model.activation,
      .activation_slope = job.model.activation_slope,
      .dropout = job.model.dropout,
      .flat_length = job.model.kind == ClassifierKind::Flat ? job.model.max_length : 0,
      .sparse_gradient = wants_sparse_gradients(job.training.optimizer),
      .init_std = job.model.embedding_std});
  model_->to(device);
  if (!setup_.class_weights.empty())
    class_weights_ = torch::tensor(setup_.class_weights, torch::kFloat32).to(device);
}

LossSum SentimentTask::loss(const TextBatch& batch) {
  return classification_loss(model_->forward(batch.ids, batch.offsets), batch.targets, setup_.loss,
                             class_weights_);
}

void SentimentTask::observe(const TextBatch& batch, ClassificationMetrics& measure) {
  const auto logits = model_->forward(batch.ids, batch.offsets);
  measure.add(logits, batch.targets, classification_loss(logits, batch.targets, setup_.loss, class_weights_));
}

torch::Tensor SentimentTask::probabilities(const TextBatch& batch) {
  const auto p = class_probabilities(model_->forward(batch.ids, batch.offsets), setup_.loss);
  return p.size(1) == 1 && !setup_.sets ? torch::cat({1 - p, p}, 1) : p;
}

std::span<const MetricInfo> SentimentTask::metrics() const {
  if (setup_.sets) return kSetMetrics;
  if (setup_.classes.size() == 2) return kBinaryMetrics;
  return kMetrics;
}

Json SentimentTask::model_info() const {
  constexpr const char* kLossNames[] = {"bce", "bce-logits", "cross-entropy", "nll"};
  return {{"classes", setup_.classes},
          {"sets", setup_.sets},
          {"loss", kLossNames[static_cast<int>(setup_.loss)]},
          {"class_weights", setup_.class_weights},
          {"stop_words", setup_.stop_words},
          {"vocabulary", setup_.vocabulary.size()},
          {"training_data", setup_.data_fingerprint}};
}

std::map<std::string, std::string> SentimentTask::files() const {
  return {{kVocabularyFile, setup_.vocabulary.serialize()}};
}

Json train_model(const SentimentJob& job, RunRequest& request) {
  check_options(job);
  const auto device = begin_training(job.training, request);
  const TextPipeline pipeline(job.text);
  auto data = prepare(job, pipeline, request.notice);
  const auto sampler = make_sampler(job, *data.train, data.setup.sets);

  SentimentTask task(job, std::move(data.setup), device);
  notice_summary(task.model(), request.notice);
  if (!task.setup().sets)
    request.callbacks.insert(request.callbacks.begin(),
                             std::make_unique<ClassMix>(*data.train, *sampler, task.setup().classes));
  return run_training(task, job.training, device, checkpoint_base(job), request, *data.train, *sampler,
                      data.valid.get(), data.test.get());
}

SentimentModel::SentimentModel(const Checkpoint& checkpoint, const std::string& source, c10::Device device)
    : device_(device) {
  expect_task(checkpoint, SentimentJob::kTask, source);
  build_model(source, [&] {
    job_from_json(job_, checkpoint.config);
    const Json& info = checkpoint.model_info;
    ClassifierSetup setup;
    setup.classes = info.at("classes").get<std::vector<std::string>>();
    setup.sets = info.at("sets").get<bool>();
    setup.class_weights = info.at("class_weights").get<std::vector<double>>();
    setup.stop_words = info.at("stop_words").get<std::vector<std::string>>();
    LossChoice loss{};
    parse_value(loss, info.at("loss").get<std::string>(), "loss", Field{.help = ""});
    setup.loss = choose_loss(loss, setup.classes.size(), setup.sets);
    setup.vocabulary = vocabulary_of(checkpoint, source);
    pipeline_ = std::make_unique<TextPipeline>(job_.text, setup.stop_words);
    task_ = std::make_unique<SentimentTask>(job_, std::move(setup), device);
    load_weights(task_->module(), checkpoint, source);
  });
}

SentimentModel::~SentimentModel() = default;

bool SentimentModel::predicts_sets() const {
  return task_->setup().sets;
}

std::vector<Prediction> SentimentModel::predict(const std::vector<std::string>& texts) {
  const EvaluationMode mode(task_->module());
  const torch::NoGradGuard no_gradient;
  const auto& setup = task_->setup();
  RaggedIds ids;
  TokenBuffer buffer;
  for (const auto& text : texts) {
    encode_text(text, *pipeline_, setup.vocabulary, job_.ngrams, buffer, ids.values);
    ids.close_row();
  }
  // A text's answer must not depend on its neighbours: where a batch is filled to its longest text, each goes
  // alone.
  const auto collation = collation_of(job_.model);
  const int64_t step = collation.shape == Collation::Shape::Longest ? 1 : ids.size();
  std::vector<Prediction> predictions;
  for (int64_t first = 0; first < ids.size(); first += step) {
    std::vector<int64_t> rows(static_cast<size_t>(std::min(step, ids.size() - first)));
    std::iota(rows.begin(), rows.end(), first);
    const auto p = task_->probabilities(collate(ids, rows, collation).to(device_)).cpu().contiguous();
    const auto classes = static_cast<size_t>(p.size(1));
    for (size_t i = 0; i < rows.size(); ++i) {
      const std::span row(p.data_ptr<float>() + i * classes, classes);
      Prediction prediction{.labels = {}, .probabilities = {}, .known = ids.length(rows[i]) > 0};
      const auto best = static_cast<size_t>(std::ranges::max_element(row) - row.begin());
      for (size_t c = 0; c < classes; ++c)
        if (setup.sets ? row[c] >= 0.5f : c == best) {
          prediction.labels.push_back(setup.classes[c]);
          prediction.probabilities.push_back(row[c]);
        }
      predictions.push_back(std::move(prediction));
    }
  }
  return predictions;
}

Json SentimentModel::evaluate_files(std::span<const std::string> paths, const InputOptions& layout,
                                    const Notice& notice) {
  int64_t skipped = 0;
  const auto data = read_for_measuring(paths, layout, *pipeline_, task_->setup(), job_, skipped, notice);
  Json report = {{"task", SentimentJob::kTask}};
  report.update(evaluate(*task_, *data, job_.training.batch_size, device_).report());
  report["skipped"] = skipped;
  return report;
}

}  // namespace semblance
