#include "training/tasks/sentiment/plain_classifier.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <span>
#include <vector>

#include "data/error.h"
#include "data/text/features.h"
#include "models/kernels.h"
#include "training/serving/build_model.h"
#include "training/small_file.h"
#include "training/tasks/sentiment/job.h"
#include "training/tasks/sentiment/label_file.h"
#include "training/tasks/sentiment/labels.h"
#include "training/tasks/sentiment/loss.h"

namespace semblance {
namespace {

// y = W x + b
struct Dense {
  std::span<const float> weight;  // [outputs, inputs]
  std::span<const float> bias;    // [outputs]

  std::vector<float> of(std::span<const float> inputs) const {
    std::vector<float> outputs(bias.begin(), bias.end());
    for (size_t o = 0; o < outputs.size(); ++o)
      for (size_t i = 0; i < inputs.size(); ++i) outputs[o] += weight[o * inputs.size() + i] * inputs[i];
    return outputs;
  }
};

class PlainClassifier : public Classifier {
 public:
  PlainClassifier(SmallFile file, const SentimentJob& job, const std::string& source)
      : file_(std::move(file)),
        features_(TextFeatures::load(job.text, job.ngrams, file_.files, info(), source)) {
    auto labels = LabelFile::load(info(), file_.files);
    labels_.classes = std::move(labels.classes);
    labels_.multi_label = info().at("sets").get<bool>();
    if (info().contains("input")) layout_ = layout_from_json(info()["input"]);
    loss_ = choose_loss(parse_enum<LossChoice>(info().at("loss").get<std::string>(), "loss"), labels_);
    const auto& dim = tensor("embedding.weight", SmallType::Char, 2).shape[1];
    values_ = numbers<int8_t>("embedding.weight", SmallType::Char, {features_.rows(), dim});
    scales_ = numbers<float>("embedding.weight_scales", SmallType::Float, {features_.rows()});
    auto widths = job.model.kind == ClassifierKind::Mlp ? job.model.hidden : std::vector<int64_t>{};
    const bool one_logit = is_binary(loss_) && !labels_.multi_label;
    widths.push_back(one_logit ? 1 : static_cast<int64_t>(labels_.classes.size()));
    for (int64_t i = 0, before = dim; const int64_t width : widths) {
      const auto name = fmt::format("layers.{}.", i++);
      layers_.push_back({numbers<float>(name + "weight", SmallType::Float, {width, before}),
                         numbers<float>(name + "bias", SmallType::Float, {width})});
      before = width;
    }
  }

  bool is_multi_label() const override { return labels_.multi_label; }
  const std::vector<std::string>& classes() const override { return labels_.classes; }
  Expected expected_input() const override {
    return {.layout = layout_ ? &*layout_ : nullptr, .knows_label = labels_.lookup()};
  }

  std::vector<Prediction> predict(const Texts& texts, const PredictOptions& options) override {
    const auto ids = features_.encode(texts, /*threads=*/1).ids;
    std::vector<Prediction> predictions;
    for (int64_t i = 0; i < ids.size(); ++i) {
      auto scores = logits(ids[i]);
      for (float& score : scores) score /= static_cast<float>(options.temperature);
      auto probabilities = probabilities_of(scores);
      if (scores.size() < labels_.classes.size()) {  // one logit for two classes
        scores = {-scores[0], scores[0]};
        probabilities = {1 - probabilities[0], probabilities[0]};
      }
      predictions.push_back(make_prediction(scores, probabilities, labels_.classes, labels_.multi_label,
                                            ids.length(i) > 0, options));
    }
    return predictions;
  }

 private:
  const Json& info() const { return file_.manifest.at("model"); }

  const SmallTensor& tensor(const std::string& name, SmallType type, size_t dimensions) const {
    const auto found = std::ranges::find(file_.tensors, name, &SmallTensor::name);
    if (found == file_.tensors.end() || found->type != type || found->shape.size() != dimensions)
      throw Error(ErrorKind::Model, "expected {} of type {} and {} dimension(s), found none", name,
                  enum_name(type), dimensions);
    return *found;
  }
  template <class T>
  std::span<const T> numbers(const std::string& name, SmallType type, std::vector<int64_t> shape) const {
    const auto& found = tensor(name, type, shape.size());
    size_t count = 1;
    for (const int64_t size : found.shape) count *= static_cast<size_t>(size);
    if (found.shape != shape)
      throw Error(ErrorKind::Model, "{}: expected other sizes than the {} numbers found", name, count);
    return {static_cast<const T*>(found.data), count};
  }

  std::vector<float> logits(std::span<const int32_t> ids) const {
    const std::vector<int64_t> rows(ids.begin(), ids.end());
    const int64_t bounds[] = {0, static_cast<int64_t>(rows.size())};
    std::vector<float> x(values_.size() / scales_.size());
    kernels::pool_packed_bags(values_.data(), scales_.data(), rows.data(), nullptr, bounds, 0, 1,
                              static_cast<int64_t>(x.size()), /*mean=*/true, x.data());
    for (size_t layer = 0; layer < layers_.size(); ++layer) {
      if (layer > 0)
        for (float& value : x) value = std::max(value, 0.0f);
      x = layers_[layer].of(x);
    }
    return x;
  }

  std::vector<float> probabilities_of(std::span<const float> scores) const {
    std::vector<float> p(scores.begin(), scores.end());
    if (is_binary(loss_)) {
      for (float& value : p) value = 1 / (1 + std::exp(-value));
      return p;
    }
    const float highest = *std::ranges::max_element(scores);
    float sum = 0;
    for (float& value : p) sum += value = std::exp(value - highest);
    for (float& value : p) value /= sum;
    return p;
  }

  SmallFile file_;
  TextFeatures features_;
  LabelSet labels_;
  std::optional<Layout> layout_;
  ClassificationLoss loss_ = ClassificationLoss::BceLogits;
  std::span<const int8_t> values_;  // [rows, dim]
  std::span<const float> scales_;   // [rows]
  std::vector<Dense> layers_;
};

// What `logits` above does without.
bool is_plain(const ClassifierOptions& model) {
  const bool mlp = model.kind == ClassifierKind::Mlp;
  return (mlp || model.kind == ClassifierKind::Mean) && (!mlp || model.activation == Activation::Relu) &&
         model.pooling == ClassifierPooling::Mean && model.token_weights == TokenWeights::None &&
         model.max_length == 0 && model.embedding.max_norm == 0;
}

}  // namespace

std::unique_ptr<Classifier> open_plain_classifier(const std::string& path) {
  auto file = read_small_file(path);
  std::unique_ptr<Classifier> opened;
  if (file.manifest["task"] != SentimentJob::kTask) return opened;
  build_model(path, [&] {
    SentimentJob job;
    stored_job_from_json(job, file.manifest["config"]);
    if (is_plain(job.model)) opened = std::make_unique<PlainClassifier>(std::move(file), job, path);
  });
  return opened;
}

}  // namespace semblance
