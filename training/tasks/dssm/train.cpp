#include "data/sampler.h"
#include "training/run_training.h"
#include "training/tasks/dssm/task.h"

namespace semblance {
namespace {

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
  StartVectors vectors(job.start, job.data.file.bad_rows, request);
  auto data = prepare_data(job, vectors, request.notice);
  const auto sampler = make_sampler(job, *data.train);

  DssmTask task(job, std::move(data.setup), device);
  task.set_vectors(vectors.fill(task.setup().features.vocabulary(), data.train->texts(),
                                task.encoder().table(), request.notice));
  if (job.model.learn_alpha)
    request.callbacks.insert(request.callbacks.begin(), std::make_unique<LearntNumbers>(task));
  Json report = run_training(task, job, device, request, batches_of(job, *data.train, *sampler),
                             data.valid.get(), data.test.get());
  if (const Json& told = task.setup().vectors; !told.is_null()) report["vectors"] = told;
  return report;
}

}  // namespace semblance
