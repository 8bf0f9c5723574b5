#include "training/run_training.h"
#include "training/serving/layer_table.h"
#include "training/tasks/sentiment/label_file.h"
#include "training/tasks/sentiment/task.h"

namespace semblance {
namespace {

std::unique_ptr<Sampler> make_sampler(const SentimentJob& job, const LabelledDataset& data,
                                      bool multi_label) {
  const auto seed = static_cast<uint64_t>(job.training.seed);
  switch (job.model.sampler) {
    case SamplerKind::Sequential:
      return std::make_unique<SequentialSampler>(data.size());
    case SamplerKind::Shuffled:
      return std::make_unique<ShuffledSampler>(data.size(), seed);
    case SamplerKind::Weighted:
      if (multi_label)
        throw Error(ErrorKind::Usage,
                    "--sampler: expected shuffled or sequential for multi-label texts, found weighted");
      return std::make_unique<WeightedSampler>(
          balancing_weights({data.labels().values.begin(), data.labels().values.end()}, job.model.max_weight),
          seed);
  }
  throw Error(ErrorKind::Internal, "unknown sampler");
}

}  // namespace

Json train_model(const SentimentJob& asked, RunRequest& request) {
  check_options(asked);
  const auto device = begin_training(asked.training, request);
  if (request.resume_point) move_labels_to_file(request.resume_point->checkpoint);
  StartVectors vectors(asked.start, asked.input.table.bad_rows, request);
  SentimentJob job = asked;
  vectors.choose_tokenizer(job, job.text, request);
  auto data = prepare_data(job, request.given, vectors, request.notice);
  if (job.model.kind == ClassifierKind::Linear)
    request.weight_decay = 1 / (job.model.inverse_penalty * static_cast<double>(data.train->size()));
  const auto sampler = make_sampler(job, *data.train, data.setup.labels.multi_label);

  SentimentTask task(job, std::move(data.setup), device);
  for (const auto& line : layer_lines(task.network().summary())) request.notice(line);
  if (const auto& labels = task.setup().labels; !labels.multi_label)
    request.callbacks.insert(request.callbacks.begin(),
                             std::make_unique<ClassMix>(*data.train, *sampler, labels.classes));
  task.set_vectors(vectors.fill(task.setup().features.vocabulary(), data.train->texts(),
                                task.network().table(), request.notice));
  Json report = run_training(task, job, device, request, batches_of(job, *data.train, *sampler),
                             data.valid.get(), data.test.get());
  if (const Json& told = task.setup().vectors; !told.is_null()) report["vectors"] = told;
  return report;
}

}  // namespace semblance
