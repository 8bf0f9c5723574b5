#include "training/tasks/word2vec/task.h"

#include "data/batch.h"
#include "data/tensors.h"
#include "models/module_access.h"

namespace semblance {
namespace {

constexpr MetricInfo kMetrics[] = {{"loss", false}};

at::Tensor scalar(double value, c10::Device device = at::kCPU) {
  return zero_tensor({}, at::kDouble, device).fill_(value);
}

at::Tensor id_tensor(const std::vector<int64_t>& ids, c10::Device device) {
  auto tensor = empty_tensor({static_cast<int64_t>(ids.size())}, at::kLong);
  std::ranges::copy(ids, tensor.mutable_data_ptr<int64_t>());
  return to_device(tensor, device);
}

}  // namespace

std::vector<int64_t> Word2VecSetup::counts() const {
  std::vector<int64_t> counts;
  for (int32_t id = 0; id < vocabulary.size(); ++id) counts.push_back(vocabulary.count(id));
  return counts;
}

Word2VecTask::Word2VecTask(const Word2VecJob& job, Word2VecSetup setup, c10::Device device)
    : setup_(std::move(setup)),
      network_(make_word2vec(
          {.rows = setup_.vocabulary.size(), .dim = job.model.dim, .full_softmax = job.model.full_softmax})) {
  move_to(module(), device);
}

std::span<const MetricInfo> Word2VecTask::metrics() const {
  return kMetrics;
}

Json Word2VecTask::model_info() const {
  return {{"dim", network_->input().size(1)},
          {"vocabulary", setup_.vocabulary.size()},
          {"tokens", setup_.tokens},
          {"training_data", setup_.data_fingerprint}};
}

std::map<std::string, std::string> Word2VecTask::files() const {
  return {{Word2VecSetup::kVocabularyFile, setup_.vocabulary.serialize()}};
}

NegativeSamplingTask::NegativeSamplingTask(const Word2VecJob& job, Word2VecSetup setup)
    : Word2VecTask(job, std::move(setup), at::kCPU),
      sampling_(this->setup().counts(), job.window, job.model) {}

LossSum NegativeSamplingTask::update(const TokenBatch& batch, double learning_rate) {
  const auto loss = sampling_.train(batch.sentences, batch.key, static_cast<float>(learning_rate),
                                    network().input(), network().output());
  return {scalar(loss.total), scalar(static_cast<double>(loss.predictions))};
}

FullSoftmaxTask::FullSoftmaxTask(const Word2VecJob& job, Word2VecSetup setup, c10::Device device)
    : Word2VecTask(job, std::move(setup), device),
      kind_(job.model.kind),
      windows_(this->setup().counts(), job.window),
      device_(device) {}

LossSum FullSoftmaxTask::loss(const TokenBatch& batch) {
  RandomStream random(batch.key);
  KeptWords words;
  windows_.keep(batch.sentences, 0, static_cast<int64_t>(batch.sentences.values.size()), random, words);
  const auto id = [&](size_t i) { return static_cast<int64_t>(words.ids[i]); };
  const int64_t vocabulary = setup().vocabulary.size();
  std::vector<int64_t> ids, offsets{0};
  std::vector<int64_t> targets;  // places in the matrix of logits
  for (size_t centre = 0; centre < words.ids.size(); ++centre) {
    const auto [begin, end] = windows_.around(words, centre, random);
    if (end - begin < 2) continue;
    const auto row = static_cast<int64_t>(offsets.size() - 1) * vocabulary;
    for (size_t i = begin; i < end; ++i) {
      if (i == centre) continue;
      if (kind_ == Word2VecKind::Cbow)
        ids.push_back(id(i));
      else
        targets.push_back(row + id(i));
    }
    if (kind_ == Word2VecKind::Cbow)
      targets.push_back(row + id(centre));
    else
      ids.push_back(id(centre));
    offsets.push_back(static_cast<int64_t>(ids.size()));
  }
  const auto weight = scalar(static_cast<double>(targets.size()), device_);
  if (targets.empty()) return {network().input().sum().mul(0), weight.add(1)};
  const auto logits = network().forward(id_tensor(ids, device_), id_tensor(offsets, device_));
  const auto log_likelihood = logits.log_softmax(1).flatten().index_select(0, id_tensor(targets, device_));
  return {log_likelihood.sum().neg(), weight};
}

}  // namespace semblance
