#include "training/tasks/trigram/task.h"

#include "models/module_access.h"

namespace semblance {
namespace {

constexpr MetricInfo kMetrics[] = {{"cosine", true}, {"mse", false}, {"loss", false}};

}  // namespace

TrigramTask::TrigramTask(const TrigramJob& job, TrigramSetup setup, c10::Device device)
    : setup_(std::move(setup)) {
  bag_ = make_embedding_bag({.rows = setup_.index.size(),
                             .dim = setup_.dim,
                             .pooling = job.model.pooling,
                             .sparse_gradient = wants_sparse_gradients(job.training.optimizer),
                             .init_std = job.model.init_std});
  move_to(module(), device);
}

LossSum TrigramTask::loss(const TextBatch& batch) {
  return squared_error(bag_->forward(batch.ids, batch.offsets), batch.targets);
}

void TrigramTask::observe(const TextBatch& batch, VectorMetrics& measure) {
  measure.add(bag_->forward(batch.ids, batch.offsets), batch.targets);
}

std::span<const MetricInfo> TrigramTask::metrics() const {
  return kMetrics;
}

Json TrigramTask::model_info() const {
  return {{"dim", setup_.dim}, {"runs", setup_.index.size()}, {"training_data", setup_.data_fingerprint}};
}

std::map<std::string, std::string> TrigramTask::files() const {
  return {{TrigramSetup::kIndexFile, setup_.index.serialize()}};
}

}  // namespace semblance
