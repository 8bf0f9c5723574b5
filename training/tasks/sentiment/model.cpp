#include "training/tasks/sentiment/model.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <span>

#include "data/tensors.h"
#include "models/parallel.h"
#include "training/serving/word_table.h"
#include "training/small_model.h"
#include "training/tasks/sentiment/export_fasttext.h"
#include "training/tasks/sentiment/label_file.h"
#include "training/tasks/sentiment/loss.h"
#include "training/tasks/sentiment/prune.h"
#include "training/tasks/sentiment/task.h"
#include "training/trainer.h"

namespace semblance {
namespace {

constexpr size_t kMostNumbers = size_t{1} << 22;  // probabilities at once

// Of the table, and of what each layer makes.
std::vector<int64_t> widths_of(const ClassifierOptions& model, const ClassifierSetup& setup) {
  std::vector<int64_t> widths;
  if (model.kind != ClassifierKind::Linear) widths = {setup.dim};
  if (model.kind == ClassifierKind::Mlp)
    widths.insert(widths.end(), model.hidden.begin(), model.hidden.end());
  const bool one_logit = is_binary(setup.loss) && !setup.labels.multi_label;
  widths.push_back(one_logit ? 1 : static_cast<int64_t>(setup.labels.classes.size()));
  return widths;
}

}  // namespace

SentimentModel::SentimentModel(const Checkpoint& checkpoint, const std::string& source, c10::Device device)
    : source_(source), device_(device) {
  build_model(source, [&] {
    stored_job_from_json(job_, checkpoint.config);
    evaluation_.input = job_.input;
    const Json& info = checkpoint.model_info;
    ClassifierSetup setup{.features =
                              TextFeatures::load(job_.text, job_.ngrams, checkpoint.files, info, source)};
    setup.dim = info.contains("dim") ? whole_number_in(info, "dim", 1, INT32_MAX) : job_.model.dim;
    auto labels = LabelFile::load(info, checkpoint.files);
    setup.labels.classes = std::move(labels.classes);
    setup.class_weights = std::move(labels.weights);
    if (info.contains("input")) setup.layout = layout_from_json(info["input"]);
    setup.labels.multi_label = info.at("sets").get<bool>();
    setup.loss =
        choose_loss(parse_enum<LossChoice>(info.at("loss").get<std::string>(), "loss"), setup.labels);
    const auto widths = widths_of(job_.model, setup);
    expect_room(checkpoint, setup.features.rows(), widths);
    if (job_.model.embedding.max_norm == 0)
      setup.packed = packed_embedding(checkpoint, setup.features.rows(), widths[0], device);
    task_ = std::make_unique<SentimentTask>(job_, std::move(setup), device);
    load_weights(task_->module(), checkpoint, source);
  });
}

SentimentModel::~SentimentModel() = default;

std::vector<LayerSummary> SentimentModel::layers() const {
  return task_->network().summary();
}

bool SentimentModel::is_multi_label() const {
  return task_->setup().labels.multi_label;
}

const std::vector<std::string>& SentimentModel::classes() const {
  return task_->setup().labels.classes;
}

Expected SentimentModel::expected_input() const {
  const auto& setup = task_->setup();
  return {.layout = setup.layout ? &*setup.layout : nullptr, .knows_label = setup.labels.lookup()};
}

std::vector<Prediction> SentimentModel::predict(const Texts& texts, const PredictOptions& options) {
  const EvaluationMode mode(task_->module());
  const c10::NoGradGuard no_gradient;
  const auto& labels = task_->setup().labels;
  const auto ids = task_->setup().features.encode(texts, compute_threads()).ids;
  // A text's answer must not depend on its neighbours: where a batch is filled to its longest text, each goes
  // alone.
  const auto collation = collation_of(job_.model);
  const auto classes = labels.classes.size();
  const int64_t step = collation.shape == Collation::Shape::Longest
                           ? 1
                           : std::max<int64_t>(1, static_cast<int64_t>(kMostNumbers / classes));
  task_->set_temperature(options.temperature);
  std::vector<Prediction> predictions;
  for (int64_t first = 0; first < ids.size(); first += step) {
    std::vector<int64_t> rows(static_cast<size_t>(std::min(step, ids.size() - first)));
    std::iota(rows.begin(), rows.end(), first);
    const auto logits = task_->logits(collate(ids, rows, collation).to(device_));
    const auto p = task_->probabilities(logits).cpu().contiguous();
    const auto z =
        (logits.size(1) < p.size(1) ? concatenate({logits.neg(), logits}, 1) : logits).cpu().contiguous();
    for (size_t i = 0; i < rows.size(); ++i) {
      const std::span row(p.const_data_ptr<float>() + i * classes, classes),
          scores(z.const_data_ptr<float>() + i * classes, classes);
      predictions.push_back(
          make_prediction(scores, row, labels.classes, labels.multi_label, ids.length(rows[i]) > 0, options));
    }
  }
  return predictions;
}

WordVectors SentimentModel::word_vectors() const {
  const auto& vocabulary = task_->setup().features.vocabulary();
  return word_rows(vocabulary, task_->network().rows(vocabulary.first_word(), vocabulary.words()), source_);
}

std::vector<ClassCoefficients> SentimentModel::coefficients(int64_t count) const {
  if (job_.model.kind != ClassifierKind::Linear && job_.model.kind != ClassifierKind::Mean)
    throw Error(ErrorKind::Model, "{}: expected a model that is linear in its words (linear, mean), found {}",
                source_, enum_name(job_.model.kind));
  const c10::NoGradGuard no_gradient;
  const auto& vocabulary = task_->setup().features.vocabulary();
  const auto& labels = task_->setup().labels.classes;
  const int64_t first = vocabulary.first_word(), words = task_->setup().features.words();
  const auto weights = task_->network().row_logits(first, words).to(at::kCPU, at::kDouble).t().contiguous();
  const auto outputs = static_cast<size_t>(weights.size(0));
  std::vector<ClassCoefficients> classes;
  for (size_t output = 0; output < outputs; ++output) {
    const std::span values(weights.const_data_ptr<double>() + output * static_cast<size_t>(words),
                           static_cast<size_t>(words));
    std::vector<int64_t> order(values.size());
    std::iota(order.begin(), order.end(), 0);
    const auto strongest = [&](auto&& before, auto&& belongs) {
      const auto end = order.begin() + std::min(count, words);
      std::partial_sort(order.begin(), end, order.end(), [&](int64_t a, int64_t b) {
        const double x = values[static_cast<size_t>(a)], y = values[static_cast<size_t>(b)];
        return before(x, y) || (x == y && a < b);
      });
      std::vector<Coefficient> found;
      for (const int64_t id : std::span(order.begin(), end))
        if (const double value = values[static_cast<size_t>(id)]; belongs(value))
          found.push_back({std::string(vocabulary.word(static_cast<int32_t>(first + id))), value});
      return found;
    };
    classes.push_back({.label = labels[outputs == 1 ? labels.size() - 1 : output],
                       .largest = strongest(std::greater(), [](double x) { return x > 0; }),
                       .smallest = strongest(std::less(), [](double x) { return x < 0; })});
  }
  return classes;
}

Json SentimentModel::evaluate(std::span<const std::string> paths, const Notice& notice,
                              const std::function<void(int64_t)>&) {
  return measure(read_for_measuring(paths, evaluation_.input, task_->setup(), job_, notice), notice);
}

Json SentimentModel::evaluate_validation(const Notice& notice) {
  const auto texts = read_validation(task_->setup(), job_, notice);
  return texts.data ? measure(texts, notice) : Json();
}

Json SentimentModel::examine(std::span<const std::string> paths, int64_t most, const Notice& notice) {
  const auto texts = paths.empty()
                         ? read_validation(task_->setup(), job_, notice)
                         : read_for_measuring(paths, evaluation_.input, task_->setup(), job_, notice);
  if (!texts.data) return {};
  Json report = measure(texts, notice);
  report["hardest"] = surest_mistakes(texts, report.value("temperature", 1.0), most);
  return report;
}

Json SentimentModel::surest_mistakes(const MeasuredTexts& texts, double temperature, int64_t most) {
  struct Mistake {
    int64_t row;
    size_t label;
    double surety, probability;
    std::vector<std::string> predicted;
  };
  std::vector<Mistake> mistakes;
  const bool sets = is_multi_label();
  const auto& labels = classes();
  const auto at_once = std::max<size_t>(1, kMostNumbers / labels.size());
  for (size_t first = 0; first < texts.rows.size(); first += at_once) {
    const auto rows = std::span(texts.rows).subspan(first, std::min(at_once, texts.rows.size() - first));
    const auto predictions = predict(select_rows<Texts>(texts.texts, rows),
                                     {.temperature = temperature, .all_probabilities = sets});
    for (size_t i = 0; i < predictions.size(); ++i) {
      const auto row = static_cast<int64_t>(first + i);
      const auto& said = predictions[i];
      Mistake worst{.row = row, .label = 0, .surety = -1, .probability = 0, .predicted = said.labels};
      const auto actual = texts.data->labels()[row];
      for (size_t label = 0; label < labels.size(); ++label) {
        const bool says = std::ranges::find(said.labels, labels[label]) != said.labels.end();
        const bool has = std::ranges::find(actual, static_cast<int32_t>(label)) != actual.end();
        if (says == has || (!sets && !says)) continue;
        const double p = sets ? said.all[label] : said.probabilities[0], surety = says ? p : 1 - p;
        if (surety > worst.surety) worst.label = label, worst.surety = surety, worst.probability = p;
      }
      if (worst.surety >= 0) mistakes.push_back(std::move(worst));
    }
    std::ranges::stable_sort(mistakes, std::greater(), &Mistake::surety);
    mistakes.resize(std::min(mistakes.size(), static_cast<size_t>(most)));
  }
  Json list = Json::array();
  for (const auto& mistake : mistakes) {
    Json actual = Json::array();
    for (const int32_t label : texts.data->labels()[mistake.row])
      actual.push_back(labels[static_cast<size_t>(label)]);
    list.push_back({{"text", texts.texts[texts.rows[static_cast<size_t>(mistake.row)]]},
                    {"actual", std::move(actual)},
                    {"predicted", mistake.predicted},
                    {"about", labels[mistake.label]},
                    {"probability", mistake.probability}});
  }
  return list;
}

Json SentimentModel::measure(const MeasuredTexts& texts, const Notice& notice) {
  const auto scores = [&] {
    return semblance::evaluate(*task_, *texts.data, job_.training.batch_size, device_,
                               task_->full_measure(*texts.data, evaluation_.scores))
        .report();
  };
  auto temperature = evaluation_.calibration.temperature;
  Json before;
  if (evaluation_.calibration.fit_temperature) {
    if (temperature != 1)
      throw Error(ErrorKind::Usage, "--fit-temperature: expected no --temperature beside it, found {}",
                  temperature);
    task_->set_temperature(1);
    before = scores();
    temperature = fit_temperature([&](double inverse) {
      LossSlope all;
      for_each_batch(task_->module(), *texts.data, job_.training.batch_size, device_,
                     [&](const TextBatch& batch) { all += task_->slope(batch, inverse); });
      return all;
    });
  }
  task_->set_temperature(temperature);
  Json report = {{"task", SentimentJob::kTask}};
  report.update(scores());
  if (temperature != 1) report["temperature"] = temperature;
  if (!before.is_null())
    for (const char* name : {"loss", "ece"}) report[std::string(name) + "_before"] = before[name];
  report["skipped"] = texts.skipped;
  const auto many = static_cast<int64_t>(classes().size());
  if (!is_multi_label() && classes().size() > kMostConfused)
    notice(fmt::format("{} classes: the confusion matrix is left out", many));
  if (!report.contains("auc"))
    notice(fmt::format("{} texts of {} classes: auc and pr_auc are left out", texts.data->size(), many));
  return report;
}

const TextPipeline& SentimentModel::pipeline() const {
  return task_->setup().features.pipeline();
}

Json SentimentModel::write_fasttext(const std::string& output, const Notice& notice) const {
  return write_fasttext_classifier(*task_, job_, output, notice);
}

int64_t SentimentModel::ngram_rows() const {
  return task_->setup().features.ngram_rows();
}

Checkpoint SentimentModel::pruned(const Checkpoint& checkpoint, int64_t kept) {
  if (ngram_counts_.empty()) ngram_counts_ = count_ngrams(task_->setup(), job_);
  return prune_ngrams(checkpoint, *task_, job_, ngram_counts_, kept);
}

}  // namespace semblance
