#include "training/tasks/sentiment/task.h"

#include "data/tensors.h"
#include "models/module_access.h"
#include "training/tasks/sentiment/label_file.h"
#include "training/trainer.h"

namespace semblance {
namespace {

constexpr MetricInfo kMetrics[] = {
    {"accuracy", true}, {"macro_f1", true}, {"micro_f1", true}, {"loss", false}};
constexpr MetricInfo kBinaryMetrics[] = {
    {"accuracy", true}, {"auc", true}, {"macro_f1", true}, {"micro_f1", true}, {"loss", false}};
constexpr MetricInfo kMultiLabelMetrics[] = {
    {"micro_f1", true}, {"macro_f1", true}, {"accuracy", true}, {"loss", false}};

}  // namespace

SentimentTask::SentimentTask(const SentimentJob& job, ClassifierSetup setup, c10::Device device)
    : setup_(std::move(setup)), dim_follows_(job.model.dim == 0) {
  const bool one_logit = is_binary(setup_.loss) && !setup_.labels.multi_label;
  network_ = make_text_classifier(
      {.vocabulary = setup_.features.vocabulary().size(),
       .ngram_rows = setup_.features.ngram_rows(),
       .dim = setup_.dim,
       .outputs = one_logit ? 1 : static_cast<int64_t>(setup_.labels.classes.size()),
       .hidden = job.model.kind == ClassifierKind::Mlp ? job.model.hidden : std::vector<int64_t>{},
       .activation = job.model.activation,
       .activation_slope = job.model.activation_slope,
       .dropout = job.model.dropout,
       .flat_length = job.model.kind == ClassifierKind::Flat ? job.model.max_length : 0,
       .linear = job.model.kind == ClassifierKind::Linear,
       .weighting = weighting_of(job.model),
       .idf = setup_.idf.empty() ? at::Tensor() : float_tensor(std::span<const float>(setup_.idf)),
       .sparse_gradient = wants_sparse_gradients(job.training.optimizer),
       .init_std = job.model.embedding_std,
       .embedding = job.model.embedding,
       .packed = setup_.packed});
  if (job.start.freeze) network_->table().set_requires_grad(false);
  move_to(module(), device);
  if (setup_.loss == ClassificationLoss::Sampled && !setup_.class_counts.empty())
    sampler_.emplace(setup_.class_counts, job.model.sampled_classes);
  if (!setup_.class_weights.empty()) class_weights_ = float_tensor(setup_.class_weights).to(device);
}

LossSum SentimentTask::loss(const TextBatch& batch) {
  if (sampler_) {
    const auto device = batch.targets.device();
    const auto drawn = sampler_->draw(batch.targets.cpu(), draw_key());
    const auto classes = drawn.classes.to(device);
    return sampled_loss(network_->forward_some(batch.ids, batch.offsets, classes), drawn.places.to(device),
                        drawn.log_chance.to(device),
                        class_weights_.defined() ? class_weights_.index_select(0, classes) : at::Tensor());
  }
  return loss_of(network_->forward(batch.ids, batch.offsets), batch.targets);
}

LossSum SentimentTask::loss_of(const at::Tensor& logits, const at::Tensor& targets) const {
  return classification_loss(logits, targets, setup_.loss, class_weights_);
}

void SentimentTask::observe(const TextBatch& batch, ClassificationMetrics& measure) {
  const auto scores = logits(batch);
  measure.add(scores, batch.targets, loss_of(scores, batch.targets),
              measure.measures_scores() ? probabilities(scores) : at::Tensor());
}

LossSlope SentimentTask::slope(const TextBatch& batch, double inverse) {
  return loss_slope(network_->forward(batch.ids, batch.offsets), batch.targets, is_binary(setup_.loss),
                    class_weights_, inverse);
}

at::Tensor SentimentTask::logits(const TextBatch& batch) {
  const auto raw = network_->forward(batch.ids, batch.offsets);
  return temperature_ == 1 ? raw : raw.div(temperature_);
}

at::Tensor SentimentTask::probabilities(const at::Tensor& logits) const {
  const auto p = class_probabilities(logits, setup_.loss);
  return p.size(1) == 1 && !setup_.labels.multi_label ? concatenate({p.neg().add_(1), p}, 1) : p;
}

std::span<const MetricInfo> SentimentTask::metrics() const {
  if (setup_.labels.multi_label) return kMultiLabelMetrics;
  if (setup_.labels.classes.size() == 2) return kBinaryMetrics;
  return kMetrics;
}

Json SentimentTask::model_info() const {
  Json info = {{"classes", setup_.labels.classes.size()},
               {"sets", setup_.labels.multi_label},
               {"loss", enum_name(setup_.loss)}};
  setup_.features.describe(info);
  if (dim_follows_) info["dim"] = setup_.dim;
  if (setup_.layout) info["input"] = layout_to_json(*setup_.layout);
  info["training_data"] = setup_.data_fingerprint;
  if (!setup_.vectors.is_null()) info["vectors"] = setup_.vectors;
  return info;
}

std::map<std::string, std::string> SentimentTask::files() const {
  std::map<std::string, std::string> files;
  setup_.features.save(files);
  LabelFile{setup_.labels.classes, setup_.class_weights}.save(files);
  return files;
}

void ClassMix::on_epoch(TrainerCore& trainer) {
  if (classes_.size() > kMostRecorded) return;
  const auto order = sampler_.order(trainer.state().epoch - 1);
  std::vector<int64_t> counts(classes_.size());
  // Where each row comes once, in the order in which they lie: they may be far.
  for (int64_t place = 0; place < order.size(); ++place)
    for (const int32_t label : data_.labels()[order.is_list() ? order[place] : place])
      ++counts[static_cast<size_t>(label)];
  Json mix = Json::object();
  for (size_t c = 0; c < classes_.size(); ++c)
    mix[classes_[c]] = static_cast<double>(counts[c]) / static_cast<double>(order.size());
  trainer.annotate_epoch("class_mix", std::move(mix));
}

}  // namespace semblance
