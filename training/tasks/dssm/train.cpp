#include <algorithm>
#include <utility>

#include "data/sampler.h"
#include "training/run_training.h"
#include "training/tasks/dssm/task.h"

namespace semblance {
namespace {

// Copies the vectors of the words that both know into the embedding.
void start_from(const WordVectors& vectors, const Vocabulary& vocabulary, at::Tensor& embedding,
                const Notice& notice) {
  const c10::NoGradGuard no_gradient;
  auto table = embedding.to(at::kCPU);
  auto* to = table.mutable_data_ptr<float>();
  int64_t known = 0;
  for (int32_t id = vocabulary.first_word(); id < vocabulary.size(); ++id)
    if (const int64_t word = vectors.find(vocabulary.word(id)); word >= 0) {
      std::ranges::copy(vectors.vector(word), to + id * vectors.dim());
      ++known;
    }
  if (!embedding.is_cpu()) embedding.copy_(table);
  notice(fmt::format("{} of {} words start from given vectors", known,
                     vocabulary.size() - vocabulary.first_word()));
}

std::unique_ptr<Sampler> make_sampler(const DssmJob& job, const PairDataset& data) {
  const auto seed = static_cast<uint64_t>(job.training.seed);
  if (!job.model.separate) return std::make_unique<ShuffledSampler>(data.size(), seed);
  std::vector<int32_t> groups;
  groups.reserve(data.pairs().size());
  for (const TextPair& pair : data.pairs()) groups.push_back(pair.group);
  return std::make_unique<NoDuplicatesSampler>(std::move(groups), job.training.batch_size, seed);
}

}  // namespace

Json train_model(const DssmJob& job, RunRequest& request) {
  check_options(job);
  const auto device = begin_training(job.training, request);
  auto data = prepare_data(job, request.notice);
  const auto sampler = make_sampler(job, *data.train);

  DssmTask task(job, std::move(data.setup), device);
  if (data.vectors)
    start_from(*std::exchange(data.vectors, std::nullopt), task.setup().features.vocabulary(),
               task.encoder().table(), request.notice);
  return run_training(task, job, device, request, batches_of(job, *data.train, *sampler), data.valid.get(),
                      data.test.get());
}

}  // namespace semblance
