#include "data/sampler.h"
#include "training/run_training.h"
#include "training/tasks/trigram/task.h"

namespace semblance {

Json train_model(const TrigramJob& job, RunRequest& request) {
  const auto device = begin_training(job.training, request);
  auto data = prepare_data(job, request.notice);
  const ShuffledSampler sampler(data.train->size(), static_cast<uint64_t>(job.training.seed));

  TrigramTask task(job, std::move(data.setup), device);
  return run_training(task, job, device, request, batches_of(job, *data.train, sampler), data.held_out.get(),
                      static_cast<const VectorDataset*>(nullptr));
}

}  // namespace semblance
