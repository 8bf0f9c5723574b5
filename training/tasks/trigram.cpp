#include "training/tasks/trigram.h"

#include <torch/types.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "data/io/line_reader.h"
#include "data/vectors/word_vectors.h"
#include "models/kernels.h"
#include "training/fingerprint.h"
#include "training/tasks/trigram_task.h"
#include "training/tensor_file.h"
#include "training/unknown_words.h"

namespace semblance {
namespace {

using Notice = std::function<void(const std::string&)>;

constexpr MetricInfo kMetrics[] = {{"cosine", true}, {"mse", false}, {"loss", false}};

const char* kRunsFile = "runs.txt";

struct PreparedData {
  std::unique_ptr<VectorDataset> train, held_out;
  TrigramSetup setup;
};

// The known words to learn from: all, or those of --words.
std::vector<int64_t> choose_words(const KnownWordOptions& options, const WordVectors& vectors,
                                  const Notice& notice) {
  std::vector<int64_t> chosen;
  if (options.words.empty()) {
    chosen.resize(static_cast<size_t>(vectors.size()));
    std::iota(chosen.begin(), chosen.end(), int64_t{0});
    return chosen;
  }
  LineReader lines{ByteStream(options.words)};
  UnknownWords unknown;
  for (std::string_view line; lines.next(line);) {
    if (line.empty()) continue;
    if (const int64_t id = vectors.find(line); id >= 0)
      chosen.push_back(id);
    else
      unknown.add(line);
  }
  unknown.report(options.words + ": without a vector", notice);
  std::ranges::sort(chosen);
  const auto repeated = std::ranges::unique(chosen);
  chosen.erase(repeated.begin(), repeated.end());
  if (chosen.empty())
    throw Error(ErrorKind::Data, "{}: expected words of {}, found none", options.words, options.vectors);
  return chosen;
}

// Words at even distances: with a share of 0.1 the first of every ten.
bool is_held_out(size_t i, double share) {
  const auto taken = [&](size_t words) { return std::ceil(static_cast<double>(words) * share - 1e-9); };
  return taken(i + 1) > taken(i);
}

std::unique_ptr<VectorDataset> make_dataset(const WordVectors& vectors, std::span<const int64_t> words,
                                            const NgramIndex& index, UnknownWords& unknown,
                                            bool keep_unknown) {
  RaggedIds ids;
  std::vector<float> targets;
  for (const int64_t word : words) {
    const size_t before = ids.values.size();
    index.append_ids(vectors.word(word), ids.values);
    if (ids.values.size() == before) {
      unknown.add(vectors.word(word));
      if (!keep_unknown) continue;
    }
    ids.close_row();
    const auto vector = vectors.vector(word);
    targets.insert(targets.end(), vector.begin(), vector.end());
  }
  if (ids.size() == 0) return nullptr;
  const auto rows = ids.size();
  return std::make_unique<VectorDataset>(std::move(ids), torch::tensor(targets).view({rows, vectors.dim()}));
}

PreparedData prepare(const TrigramJob& job, const Notice& notice) {
  if (job.data.vectors.empty())
    throw Error(ErrorKind::Usage, "--vectors: expected a file of word vectors, found none");
  NgramIndex index(job.runs);
  const auto vectors = WordVectors::load(job.data.vectors, job.file, notice);
  const auto words = choose_words(job.data, vectors, notice);
  std::vector<int64_t> training, held_out;
  for (size_t i = 0; i < words.size(); ++i)
    (is_held_out(i, job.data.held_out) ? held_out : training).push_back(words[i]);
  if (training.empty())
    throw Error(ErrorKind::Data, "{}: expected words to learn from, found {}, held out (--held-out)",
                job.data.vectors, held_out.size());
  // From the words that are trained on alone: what held-out words have besides is as unknown as in use.
  for (const int64_t word : training) index.add(vectors.word(word));

  UnknownWords without_runs, unknown;
  auto train = make_dataset(vectors, training, index, without_runs, false);
  if (!train)
    throw Error(ErrorKind::Data, "{}: expected words with runs of {} characters, found none",
                job.data.vectors, job.runs.lengths);
  auto judged = make_dataset(vectors, held_out, index, unknown, true);
  without_runs.report("too short to have a run, not trained on", notice);
  unknown.report("held out and without a known run, which count as zero vectors", notice);

  Fingerprint fingerprint;
  for (const auto* part : {train.get(), judged.get()}) {
    if (!part) continue;
    fingerprint.add(std::span(part->ids().values));
    fingerprint.add(std::span(part->ids().offsets));
    fingerprint.add(
        std::span(part->targets().const_data_ptr<float>(), static_cast<size_t>(part->targets().numel())));
  }
  notice(fmt::format("{} words to train on, {} held out; {} runs of characters, {} numbers a vector",
                     train->size(), judged ? judged->size() : 0, index.size(), vectors.dim()));
  auto mean = train->targets().mean(0, /*keepdim=*/false, torch::kDouble).to(torch::kFloat);
  return {.train = std::move(train),
          .held_out = std::move(judged),
          .setup = {.index = std::move(index),
                    .dim = vectors.dim(),
                    .mean = std::move(mean),
                    .data_fingerprint = fingerprint.digest()}};
}

}  // namespace

TrigramTask::TrigramTask(const TrigramJob& job, TrigramSetup setup, c10::Device device)
    : setup_(std::move(setup)) {
  bag_ = EmbeddingBag(EmbeddingBagOptions{.rows = setup_.index.size(),
                                          .dim = setup_.dim,
                                          .pooling = job.model.pooling,
                                          .sparse_gradient = wants_sparse_gradients(job.training.optimizer),
                                          .init_std = job.model.init_std});
  bag_->to(device);
}

LossSum TrigramTask::loss(const TextBatch& batch) {
  return squared_error(bag_->forward(batch.ids, batch.offsets), batch.targets);
}

void TrigramTask::observe(const TextBatch& batch, VectorMetrics& measure) {
  measure.add(bag_->forward(batch.ids, batch.offsets), batch.targets);
}

std::span<const MetricInfo> TrigramTask::metrics() const {
  return kMetrics;
}

Json TrigramTask::model_info() const {
  return {{"dim", setup_.dim}, {"runs", setup_.index.size()}, {"training_data", setup_.data_fingerprint}};
}

std::map<std::string, std::string> TrigramTask::files() const {
  return {{kRunsFile, setup_.index.serialize()}};
}

Json train_model(const TrigramJob& job, RunRequest& request) {
  const auto device = begin_training(job.training, request);
  auto data = prepare(job, request.notice);
  const ShuffledSampler sampler(data.train->size(), static_cast<uint64_t>(job.training.seed));

  TrigramTask task(job, std::move(data.setup), device);
  return run_training(task, job.training, device, checkpoint_base(job), request, *data.train, sampler,
                      data.held_out.get(), static_cast<const VectorDataset*>(nullptr));
}

TrigramModel::TrigramModel(const Checkpoint& checkpoint, const std::string& source) {
  expect_task(checkpoint, TrigramJob::kTask, source);
  build_model(source, [&] {
    job_from_json(job_, checkpoint.config);
    const Json& info = checkpoint.model_info;
    TrigramSetup setup{
        .index = NgramIndex::parse(job_.runs, checkpoint.files.at(kRunsFile), source + "/" + kRunsFile),
        .dim = info.at("dim").get<int64_t>(),
        .mean = {},
        .data_fingerprint = info.at("training_data").get<std::string>()};
    if (setup.index.size() != info.at("runs").get<int32_t>() || setup.index.size() == 0)
      throw Error(ErrorKind::Model, "{}: expected {} runs of characters, found {}", source,
                  info.at("runs").get<int32_t>(), setup.index.size());
    task_ = std::make_unique<TrigramTask>(job_, std::move(setup), c10::kCPU);
    load_weights(task_->module(), checkpoint, source);
    weights_ = model_tensors(task_->module());
  });
}

TrigramModel::~TrigramModel() = default;

int64_t TrigramModel::dim() const {
  return task_->setup().dim;
}

bool TrigramModel::encode(std::string_view word, std::span<float> out) const {
  std::vector<int32_t> runs;
  task_->setup().index.append_ids(word, runs);
  const std::vector<int64_t> ids(runs.begin(), runs.end());
  const int64_t offsets[] = {0, static_cast<int64_t>(ids.size())};
  kernels::pool_bags(weights_[0].second.const_data_ptr<float>(), ids.data(), offsets, 0, 1, dim(),
                     job_.model.pooling == BagPooling::Mean, out.data());
  return !ids.empty();
}

Json TrigramModel::evaluate_held_out(c10::Device device, const Notice& notice) const {
  auto data = prepare(job_, notice);
  if (data.setup.data_fingerprint != task_->setup().data_fingerprint)
    throw Error(ErrorKind::Data, "{}: expected the vectors that the model was trained on, found others",
                job_.data.vectors);
  if (!data.held_out) return nullptr;
  TrigramTask task(job_, std::move(data.setup), device);
  copy_tensors(weights_, model_tensors(task.module()), job_.data.vectors);
  return evaluate(task, *data.held_out, job_.training.batch_size, device).report();
}

}  // namespace semblance
