#include "training/tasks/sentiment/trial.h"

#include "data/sampler.h"
#include "data/tensors.h"
#include "models/parallel.h"
#include "training/tasks/sentiment/loss.h"
#include "training/tasks/sentiment/task.h"
#include "training/trainer.h"

namespace semblance {

double try_job(const SentimentJob& asked, const TokenizedTexts& tokens, const RaggedIds& labels,
               std::span<const int64_t> rows, const LabelSet& set) {
  constexpr size_t kMostRows = 36000, kHeldOut = 6;
  std::vector<int64_t> train, held_out;
  for (size_t i = 0; i < std::min(rows.size(), kMostRows); ++i) {
    // Of a file that is sorted, from everywhere.
    const int64_t row = rows[i * rows.size() / std::min(rows.size(), kMostRows)];
    (i % kHeldOut == 0 ? held_out : train).push_back(row);
  }
  SentimentJob job = asked;
  job.training.epochs = 2;
  job.training.metric.clear();  // the main one: always defined, and the higher the better
  const int threads = compute_threads();
  const auto seed = static_cast<uint64_t>(job.training.seed);
  seed_generators(seed);
  ClassifierSetup setup{.features = {job.text, job.ngrams},
                        .dim = job.model.dim > 0 ? job.model.dim : kDefaultDim,
                        .labels = set,
                        .loss = choose_loss(job.model.loss, set)};
  setup.features.set_vocabulary(Vocabulary(tokens.words, tokens.count(train), job.vocabulary));
  const auto data = make_dataset(setup.features.fit(tokens, train, threads), labels, train, setup, job);
  const auto valid =
      make_dataset(setup.features.encode(tokens, held_out, threads), labels, held_out, setup, job);
  if (weighting_of(job.model) != RowWeighting::None)
    setup.idf = inverse_document_frequencies(data->texts(), setup.features.rows());
  SentimentTask task(job, std::move(setup), c10::kCPU);
  const ShuffledSampler sampler(data->size(), seed);
  Trainer<SentimentTask> trainer(task, job.training, c10::kCPU);
  trainer.fit(SampledBatches(*data, sampler, job.training.batch_size, seed), valid.get());
  seed_generators(seed);  // what is drawn next does not depend on the trial
  return trainer.state().history.back()["valid"][std::string(trainer.metric().name)].get<double>();
}

}  // namespace semblance
