#include "data/error.h"
#include "models/parallel.h"
#include "models/ranks.h"
#include "training/run_training.h"
#include "training/tasks/word2vec/task.h"

namespace semblance {
namespace {

// Negative sampling makes its own steps: what it would leave aside is refused.
void check_options(const Word2VecJob& job) {
  const auto& training = job.training;
  if (job.model.full_softmax) {
    if (job.model.hogwild)
      throw Error(ErrorKind::Usage, "--hogwild: does not go with --full-softmax, expected one of them");
    return;
  }
  const auto expect = [](bool holds, const char* option, const char* value) {
    if (!holds)
      throw Error(ErrorKind::Usage,
                  "--{}: expected {}, as negative sampling makes its own steps; see --full-softmax", option,
                  value);
  };
  expect(training.optimizer == OptimizerKind::Sgd, "optimizer", "sgd");
  expect(training.momentum == 0, "momentum", "0");
  expect(training.weight_decay == 0, "weight-decay", "0");
  expect(training.clip_norm == 0, "clip-norm", "0");
  expect(training.accumulate == 1, "accumulate", "1");
}

void check_memory(const Word2VecJob& job, int64_t vocabulary) {
  constexpr int64_t kMost = int64_t{1} << 30;
  const int64_t needed = job.training.batch_size * vocabulary * static_cast<int64_t>(sizeof(float));
  if (needed > kMost)
    throw Error(
        ErrorKind::Usage,
        "--full-softmax: expected at most {} MiB for the scores of a batch, found {} words of batch by {} "
        "of the vocabulary; lower --batch-size or raise --min-count",
        kMost >> 20, job.training.batch_size, vocabulary);
}

}  // namespace

Json train_model(const Word2VecJob& job, RunRequest& request) {
  check_options(job);
  TrainerOptions options = job.training;
  if (!job.model.full_softmax && options.device == "auto") options.device = "cpu";
  const auto device = begin_training(options, request);
  if (!job.model.full_softmax && !device.is_cpu())
    throw Error(ErrorKind::Device,
                "--device: expected cpu, where negative sampling runs, found {}; "
                "--full-softmax runs anywhere",
                options.device);
  if (job.model.hogwild && ranks())
    throw Error(ErrorKind::Usage, "--hogwild: expected one process, whose threads share the tables, found {}",
                ranks()->size());
  const Corpus corpus(job.data.corpus, {job.text, job.phrases, job.vocabulary}, compute_threads(),
                      request.notice);
  const auto& vocabulary = corpus.vocabulary();
  request.notice(fmt::format("{} words, {} of them of the {} in the vocabulary; {} dimensions",
                             corpus.tokens(), corpus.known_tokens(),
                             vocabulary.size() - vocabulary.first_word(), job.model.dim));
  if (job.model.hogwild && compute_threads() > 1)
    request.notice("hogwild: with more than one thread, another run will differ in its numbers");
  Word2VecSetup setup{vocabulary, corpus.tokens(), corpus.fingerprint()};
  const TokenBatches batches(corpus, job.training.batch_size, static_cast<uint64_t>(job.training.seed));
  constexpr const NoData* kNone = nullptr;
  if (job.model.full_softmax) {
    check_memory(job, vocabulary.size());
    FullSoftmaxTask task(job, std::move(setup), device);
    return run_training(task, job, device, request, batches, kNone, kNone);
  }
  NegativeSamplingTask task(job, std::move(setup));
  return run_training(task, job, device, request, batches, kNone, kNone);
}

}  // namespace semblance
