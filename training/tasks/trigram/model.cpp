#include "training/tasks/trigram/model.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <vector>

#include "models/kernels.h"
#include "models/nearest.h"
#include "training/measures/word_sets.h"
#include "training/tasks/trigram/task.h"
#include "training/tensor_file.h"
#include "training/trainer.h"

namespace semblance {

TrigramModel::TrigramModel(const Checkpoint& checkpoint, const std::string& source, c10::Device device)
    : device_(device) {
  build_model(source, [&] {
    stored_job_from_json(job_, checkpoint.config);
    const Json& info = checkpoint.model_info;
    constexpr auto kFile = TrigramSetup::kIndexFile;
    TrigramSetup setup{
        .index = NgramIndex::parse(job_.index, checkpoint.files.at(kFile), source + "/" + kFile),
        .dim = whole_number_in(info, "dim", 1, INT32_MAX),
        .mean = {},
        .data_fingerprint = text_in(info, "training_data")};
    if (const auto runs = whole_number_in(info, "runs", 1, INT32_MAX); setup.index.size() != runs)
      throw Error(ErrorKind::Model, "expected {} character n-grams, found {}", runs, setup.index.size());
    expect_room(checkpoint, setup.index.size(), std::array{setup.dim});
    task_ = std::make_unique<TrigramTask>(job_, std::move(setup), c10::kCPU);
    load_weights(task_->module(), checkpoint, source);
  });
}

TrigramModel::~TrigramModel() = default;

std::vector<LayerSummary> TrigramModel::layers() const {
  return task_->network().summary();
}

int64_t TrigramModel::dim() const {
  return task_->setup().dim;
}

bool TrigramModel::encode(std::string_view word, std::span<float> out) const {
  Bulk<int32_t> ngrams;
  task_->setup().index.append_ids(word, ngrams);
  const std::vector<int64_t> ids(ngrams.begin(), ngrams.end());
  const int64_t offsets[] = {0, static_cast<int64_t>(ids.size())};
  kernels::pool_bags(task_->table().const_data_ptr<float>(), ids.data(), offsets, 0, 1, dim(),
                     job_.model.pooling == BagPooling::Mean, out.data());
  return !ids.empty();
}

int32_t TrigramModel::size() const {
  return task_->setup().index.size();
}
int64_t TrigramModel::shortest() const {
  return static_cast<int64_t>(task_->setup().index.shortest());
}
int64_t TrigramModel::longest() const {
  return static_cast<int64_t>(task_->setup().index.longest());
}

std::string TrigramModel::fasttext_name(int32_t row) const {
  if (task_->setup().index.is_hashed())
    throw Error(
        ErrorKind::Usage,
        "--hash-buckets: expected a run whose n-grams are known, found one that has hashed them otherwise "
        "than fastText does");
  return task_->setup().index.name(row, '<', '>');
}

std::span<const float> TrigramModel::row(int32_t row) const {
  return {task_->table().const_data_ptr<float>() + row * dim(), static_cast<size_t>(dim())};
}

void TrigramModel::for_each_of(std::string_view word, const std::function<void(int32_t)>& visit) const {
  Bulk<int32_t> rows;
  task_->setup().index.append_ids(word, rows);
  for (const int32_t row : rows) visit(row);
}

Json TrigramModel::evaluate(std::span<const std::string> paths, const Notice& notice,
                            const std::function<void(int64_t)>&) {
  if (paths.size() != 1) throw Error(ErrorKind::Usage, "expected one set of words, found {}", paths.size());
  Json report = {{"task", TrigramJob::kTask}};
  report.update(evaluate_word_set(*this, paths[0], evaluation_.words));
  report["task"] = TrigramJob::kTask;
  try {
    report["held_out"] = evaluate_held_out();
  } catch (const Error& error) {
    notice(fmt::format("warning: the held-out words are not measured: {}", error.what()));
  }
  return report;
}

Json TrigramModel::examine(std::span<const std::string> paths, int64_t most, const Notice& notice) {
  return paths.empty() ? evaluate_held_out(most) : evaluate(paths, notice, [](int64_t) {});
}

Json TrigramModel::evaluate_held_out(int64_t most) const {
  auto data = prepare_data(job_, [](const auto&) {});
  if (data.setup.data_fingerprint != task_->setup().data_fingerprint)
    throw Error(ErrorKind::Data, "{}: expected the vectors that the model was trained on, found others",
                job_.data.vectors);
  if (!data.held_out) return nullptr;
  TrigramTask task(job_, std::move(data.setup), device_);
  copy_tensors(model_tensors(task_->module()), model_tensors(task.module()), job_.data.vectors);
  Json report = semblance::evaluate(task, *data.held_out, job_.training.batch_size, device_,
                                    task.measure(*data.held_out))
                    .report();
  if (most > 0) report["hardest"] = farthest_words(*data.held_out, data.held_out_words, most);
  return report;
}

Json TrigramModel::farthest_words(const VectorDataset& words, const Texts& names, int64_t most) const {
  std::vector<double> cosines;
  std::vector<float> made(static_cast<size_t>(dim()));
  const float* targets = words.targets().const_data_ptr<float>();
  for (int64_t i = 0; i < words.size(); ++i) {
    encode(names[i], made);
    cosines.push_back(cosine(made, {targets + i * dim(), made.size()}));
  }
  std::vector<int64_t> order(cosines.size());
  std::iota(order.begin(), order.end(), int64_t{0});
  std::ranges::stable_sort(order, {}, [&](int64_t i) { return cosines[static_cast<size_t>(i)]; });
  order.resize(std::min(order.size(), static_cast<size_t>(most)));
  Json list = Json::array();
  for (const int64_t i : order)
    list.push_back({{"word", names[i]}, {"cosine", cosines[static_cast<size_t>(i)]}});
  return list;
}

}  // namespace semblance
