#include "training/tasks/dssm/task.h"

#include "data/tensors.h"
#include "models/module_access.h"
#include "models/nt_xent.h"
#include "training/trainer.h"

namespace semblance {

DssmTask::DssmTask(const DssmJob& job, DssmSetup setup, c10::Device device)
    : setup_(std::move(setup)), ranking_(job.ranking), learns_alpha_(job.model.learn_alpha) {
  for (const int64_t k : ranking_.k) metric_names_.push_back(fmt::format("hits@{}", k));
  if (job.scored()) {
    metrics_ = {{"spearman", true}, {"pearson", true}};
  } else {
    metrics_.push_back({"mrr", true});
    for (const auto& name : metric_names_) metrics_.push_back({name, true});
    metrics_.push_back({"mean_rank", false});
  }
  encoder_ = make_dssm_encoder(
      {.rows = setup_.features.rows(),
       .dim = setup_.dim,
       .projection = job.model.projection,
       .activation = job.model.activation,
       .alpha = job.model.alpha,
       .learn_alpha = job.model.learn_alpha,
       .weighting = job.model.token_weights == TokenWeights::Idf ? RowWeighting::IdfMean : RowWeighting::None,
       .idf = setup_.idf.empty() ? at::Tensor() : float_tensor(std::span<const float>(setup_.idf)),
       .sparse_gradient = wants_sparse_gradients(job.training.optimizer),
       .init_std = job.model.init_std,
       .embedding = job.model.embedding,
       .packed = setup_.packed});
  if (job.start.freeze) encoder_->table().set_requires_grad(false);
  move_to(module(), device);
}

LossSum DssmTask::loss(const PairBatch& batch) {
  const auto vectors = encoder_->forward(batch.ids, batch.offsets);
  if (!batch.scores.defined()) return nt_xent(vectors, encoder_->alpha(), batch.groups, batch.owners);
  const auto sides = vectors.chunk(2);
  return cosine_loss(sides[0], sides[1], batch.scores);
}

void DssmTask::observe(const TextBatch& batch, RankingMeasure& measure) {
  measure.add(encoder_->forward(batch.ids, batch.offsets));
}

Json DssmTask::learnt() const {
  if (!learns_alpha_) return Json::object();
  return {{"alpha", encoder_->alpha().item<double>()}};
}

Json DssmTask::model_info() const {
  Json info = {{"dim", setup_.dim},
               {"vocabulary", nullptr}};  // the order that runs have had from the beginning
  setup_.features.describe(info);
  info["training_data"] = setup_.data_fingerprint;
  if (!setup_.vectors.is_null()) info["vectors"] = setup_.vectors;
  if (const Json rows = row_layout_to_json(setup_.rows); !rows.is_null()) info["rows"] = rows;
  return info;
}

void LearntNumbers::on_epoch(TrainerCore& trainer) {
  trainer.annotate_epoch("learnt", task_.learnt());
}

std::map<std::string, std::string> DssmTask::files() const {
  std::map<std::string, std::string> files;
  setup_.features.save(files);
  return files;
}

}  // namespace semblance
