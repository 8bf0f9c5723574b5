#include "training/tasks/dssm/model.h"

#include <c10/core/GradMode.h>

#include <algorithm>
#include <numeric>

#include "data/tensors.h"
#include "models/module_access.h"
#include "models/parallel.h"
#include "training/serving/word_table.h"
#include "training/small_model.h"
#include "training/tasks/dssm/sentence_transformers.h"
#include "training/tasks/dssm/task.h"
#include "training/trainer.h"

namespace semblance {
namespace {

const std::string& one_file(std::span<const std::string> paths) {
  if (paths.size() != 1)
    throw Error(ErrorKind::Usage, "expected one file of rows to rank, found {}", paths.size());
  return paths[0];
}

}  // namespace

DssmModel::DssmModel(const Checkpoint& checkpoint, const std::string& source, c10::Device device)
    : source_(source), device_(device) {
  build_model(source, [&] {
    stored_job_from_json(job_, checkpoint.config);
    evaluation_.rows = {job_.data.file.for_other_files(), job_.data.negatives};
    evaluation_.ranking = job_.ranking;
    const Json& info = checkpoint.model_info;
    DssmSetup setup{.features = TextFeatures::load(job_.text, job_.ngrams, checkpoint.files, info, source),
                    .dim = whole_number_in(info, "dim", 1, INT32_MAX),
                    .rows = info.contains("rows") ? row_layout_from_json(info["rows"]) : RowLayout{},
                    .data_fingerprint = text_in(info, "training_data")};
    std::vector<int64_t> widths = {setup.dim};
    widths.insert(widths.end(), job_.model.projection.begin(), job_.model.projection.end());
    expect_room(checkpoint, setup.features.rows(), widths);
    if (job_.model.embedding.max_norm == 0)
      setup.packed = packed_embedding(checkpoint, setup.features.rows(), setup.dim, device);
    task_ = std::make_unique<DssmTask>(job_, std::move(setup), device);
    load_weights(task_->module(), checkpoint, source);
  });
}

DssmModel::~DssmModel() = default;

std::vector<LayerSummary> DssmModel::layers() const {
  return task_->encoder().summary();
}

Json DssmModel::learnt() const {
  return task_->learnt();
}

const TextPipeline& DssmModel::pipeline() const {
  return task_->setup().features.pipeline();
}

Json DssmModel::write_sentence_transformers(const std::string& folder, const Notice& notice) const {
  return semblance::write_sentence_transformers(*task_, job_, folder, notice);
}

int64_t DssmModel::dim() const {
  return task_->encoder().dim();
}

EncodedTexts DssmModel::encode(const Texts& texts) {
  constexpr int64_t kAtOnce = 4096;
  const EvaluationMode mode(task_->module());
  const c10::NoGradGuard no_gradient;
  const auto encoded = task_->setup().features.encode(texts, compute_threads());
  EncodedTexts result{.vectors = empty_tensor({texts.size(), dim()}),
                      .known = std::vector<char>(static_cast<size_t>(texts.size())),
                      .tokens = encoded.tokens,
                      .unknown_tokens = encoded.unknown_tokens};
  for (int64_t i = 0; i < texts.size(); ++i) result.known[static_cast<size_t>(i)] = encoded.ids.length(i) > 0;
  for (int64_t first = 0; first < texts.size(); first += kAtOnce) {
    std::vector<int64_t> rows(static_cast<size_t>(std::min(kAtOnce, texts.size() - first)));
    std::iota(rows.begin(), rows.end(), first);
    const auto batch = collate(encoded.ids, rows, {}).to(device_);
    result.vectors.narrow(0, first, static_cast<int64_t>(rows.size()))
        .copy_(task_->encoder().forward(batch.ids, batch.offsets));
  }
  constexpr double kLeastLength = 1e-12;  // as torch.nn.functional.normalize
  if (job_.model.normalize) result.vectors /= row_norms(result.vectors).clamp_min(kLeastLength).unsqueeze(1);
  return result;
}

WordVectors DssmModel::word_vectors() const {
  const auto& vocabulary = task_->setup().features.vocabulary();
  return word_rows(vocabulary, task_->encoder().rows(vocabulary.first_word(), vocabulary.words()), source_);
}

RankedRows DssmModel::ranked_rows() const {
  return {evaluation_.rows, static_cast<uint64_t>(job_.training.seed), &task_->setup().rows};
}

Json DssmModel::evaluate(std::span<const std::string> paths, const Notice& notice,
                         const std::function<void(int64_t)>& progress) {
  Json report =
      evaluate_ranking(*this, one_file(paths), ranked_rows(), evaluation_.ranking, notice, progress);
  report["task"] = DssmJob::kTask;
  return report;
}

Json DssmModel::examine(std::span<const std::string> paths, int64_t most, const Notice& notice) {
  auto ranking = evaluation_.ranking;
  ranking.k.insert(ranking.k.end(), {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000});
  HardestRows hardest(most);
  Json report;
  if (paths.empty()) {
    const auto rows = read_validation(task_->setup(), job_, notice);
    if (rows.rows.size() == 0) return {};
    report = evaluate_ranking(*this, rows, ranking, notice, &hardest);
  } else {
    report =
        evaluate_ranking(*this, one_file(paths), ranked_rows(), ranking, notice, [](int64_t) {}, &hardest);
  }
  report["task"] = DssmJob::kTask;
  if (report.contains("hits")) report["hardest"] = hardest.report();
  return report;
}

Json DssmModel::evaluate_validation(const Notice& notice) {
  const auto data = encode_rows(read_validation(task_->setup(), job_, notice), task_->setup());
  if (!data) return {};
  return semblance::evaluate(*task_, *data, job_.training.batch_size, device_, task_->measure(*data))
      .report();
}

}  // namespace semblance
