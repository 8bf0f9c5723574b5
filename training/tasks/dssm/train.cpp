#include <unistd.h>

#include <algorithm>

#include "data/error.h"
#include "data/sampler.h"
#include "training/run_training.h"
#include "training/tasks/dssm/task.h"

namespace semblance {
namespace {

std::unique_ptr<Sampler> make_sampler(const DssmJob& job, const PairDataset& data) {
  const auto seed = static_cast<uint64_t>(job.training.seed);
  if (!job.model.separate) return std::make_unique<ShuffledSampler>(data.size(), seed);
  Bulk<int32_t> groups;
  groups.reserve(data.pairs().size());
  for (const TextPair& pair : data.pairs()) groups.push_back(pair.group);
  return std::make_unique<NoDuplicatesSampler>(std::move(groups), job.training.batch_size, seed);
}

// A pair's negatives are the others of its batch: tells of batches that have none, and refuses those whose
// scores, each text by each, do not fit into memory.
void check_batches(const DssmJob& job, const PairDataset& data, const Notice& notice) {
  const int64_t batch = std::min(job.training.batch_size, data.size());
  const auto is_of_first = [&](const TextPair& pair) { return pair.group == data.pairs().front().group; };
  if (batch == 1 || std::ranges::all_of(data.pairs(), is_of_first))
    notice(fmt::format("warning: {}: no pair has a negative, so that nothing can be learnt; {}",
                       job.training.batch_size == 1 ? "--batch-size 1" : "all pairs are of one row",
                       job.training.batch_size == 1 ? "raise it" : "train on more rows"));
  const auto needed = static_cast<double>(batch) * static_cast<double>(batch) * sizeof(float);
  const auto there =
      static_cast<double>(::sysconf(_SC_PHYS_PAGES)) * static_cast<double>(::sysconf(_SC_PAGESIZE));
  if (needed > there)
    throw Error(
        ErrorKind::Usage,
        "--batch-size: expected batches whose scores fit into {:.0f} MiB of memory, found {} pairs that "
        "take {:.0f}; lower it",
        there / (1 << 20), batch, needed / (1 << 20));
}

}  // namespace

Json train_model(const DssmJob& asked, RunRequest& request) {
  check_options(asked);
  const auto device = begin_training(asked.training, request);
  StartVectors vectors(asked.start, asked.data.file.table.bad_rows, request);
  DssmJob job = asked;
  vectors.choose_tokenizer(job, job.text, request);
  auto data = prepare_data(job, vectors, request.notice);
  check_batches(job, *data.train, request.notice);
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
