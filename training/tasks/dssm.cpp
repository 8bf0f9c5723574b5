#include "training/tasks/dssm.h"

#include <torch/types.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "data/random.h"
#include "data/sampler.h"
#include "data/split.h"
#include "data/text/tokenized_texts.h"
#include "data/vectors/word_vectors.h"
#include "models/nt_xent.h"
#include "models/parallel.h"
#include "training/fingerprint.h"
#include "training/tasks/dssm_task.h"
#include "training/tasks/vocabulary_file.h"

namespace semblance {
namespace {

using Notice = std::function<void(const std::string&)>;

constexpr int64_t kDefaultDim = 100;

std::array<double, 3> training_shares(const DuplicateRowOptions& data) {
  return split_shares(data.split, !data.valid.empty(), !data.test.empty());
}

void check_options(const DssmJob& job) {
  if (job.data.train.empty())
    throw Error(ErrorKind::Usage, "--train: expected a file of rows of duplicates, found none");
  training_shares(job.data);
  check_ngrams(job.ngrams);
}

struct PreparedData {
  std::unique_ptr<PairDataset> train;
  std::unique_ptr<RankingDataset> valid, test;
  std::optional<WordVectors> vectors;  // to start from
  DssmSetup setup;
};

// The texts of the given rows.
std::vector<int64_t> texts_of(std::span<const int64_t> starts, std::span<const int64_t> rows) {
  std::vector<int64_t> texts;
  for (const int64_t row : rows)
    for (int64_t text = starts[static_cast<size_t>(row)]; text < starts[static_cast<size_t>(row) + 1]; ++text)
      texts.push_back(text);
  return texts;
}

// Groups of equal texts, where texts without a token are equal to none.
std::vector<int64_t> text_groups(const TokenizedTexts& tokens) {
  auto groups = tokens.duplicate_groups();
  for (size_t text = 0; text < groups.size(); ++text)
    if (tokens.tokens.length(static_cast<int64_t>(text)) == 0) groups[text] = static_cast<int64_t>(text);
  return groups;
}

Split split_of(const TokenizedTexts& tokens, std::span<const int64_t> starts, const DssmJob& job) {
  const auto shares = training_shares(job.data);
  if (shares[1] > 0 || shares[2] > 0)
    return split_rows(group_rows(starts, text_groups(tokens)), shares,
                      static_cast<uint64_t>(job.training.seed));
  Split whole;
  whole.train.resize(starts.size() - 1);
  std::iota(whole.train.begin(), whole.train.end(), 0);
  return whole;
}

std::vector<TextPair> make_pairs(const RaggedIds& texts, std::span<const int64_t> starts,
                                 std::span<const int64_t> rows, const DssmJob& job, const Notice& notice) {
  std::vector<TextPair> pairs;
  int32_t first = 0;  // `texts` are those of `rows` alone
  for (const int64_t row : rows) {
    const auto at = static_cast<size_t>(row);
    const auto end = first + static_cast<int32_t>(starts[at + 1] - starts[at]);
    append_pairs(first, end, static_cast<int32_t>(row), job.pairs,
                 mix(static_cast<uint64_t>(job.training.seed), static_cast<uint64_t>(row)), pairs);
    first = end;
  }
  const auto empty = std::erase_if(pairs, [&](const TextPair& pair) {
    return texts.length(pair.first) == 0 || texts.length(pair.second) == 0;
  });
  if (empty > 0) notice(fmt::format("warning: left out {} pair(s) with a text of no known word", empty));
  return pairs;
}

// Each row's first text is to find its second among those of other rows.
std::unique_ptr<RankingDataset> rank_among_rows(const TokenizedTexts& tokens, std::span<const int64_t> starts,
                                                std::span<const int64_t> rows, const DssmSetup& setup,
                                                const DssmJob& job) {
  if (rows.empty()) return nullptr;
  const auto n = static_cast<int64_t>(rows.size());
  std::vector<int64_t> texts;
  for (const int64_t row : rows) {
    texts.push_back(starts[static_cast<size_t>(row)]);
    texts.push_back(starts[static_cast<size_t>(row)] + 1);
  }
  RaggedIds ranked;
  RandomStream random(mix(static_cast<uint64_t>(job.training.seed), 0x4a6b));
  for (int64_t i = 0; i < n; ++i) {
    ranked.values.push_back(static_cast<int32_t>(2 * i));
    ranked.values.push_back(static_cast<int32_t>(2 * i + 1));
    const int64_t others = std::min(job.data.negatives, n - 1);
    for (int64_t k = 1; k <= others; ++k) {
      const int64_t step =
          others == n - 1 ? k : 1 + static_cast<int64_t>(random.below(static_cast<uint64_t>(n - 1)));
      ranked.values.push_back(static_cast<int32_t>(2 * ((i + step) % n) + 1));
    }
    ranked.close_row();
  }
  return std::make_unique<RankingDataset>(tokens.encode(texts, setup.vocabulary, job.ngrams),
                                          std::move(ranked));
}

std::unique_ptr<RankingDataset> read_for_ranking(std::span<const std::string> paths,
                                                 const TextPipeline& pipeline, const DssmSetup& setup,
                                                 const DssmJob& job, const Notice& notice) {
  Texts texts;
  RaggedIds rows;
  for (const auto& path : paths) {
    RankingRowReader reader(path, job.data.bad_rows);
    RankingRows part;
    reader.next(part);
    reader.reader().finish(notice);
    const auto before = static_cast<int32_t>(texts.size());
    for (int64_t text = 0; text < part.texts.size(); ++text) texts.push_back(part.texts[text]);
    for (int64_t row = 0; row < part.rows.size(); ++row) {
      for (const int32_t text : part.rows[row]) rows.values.push_back(before + text);
      rows.close_row();
    }
  }
  auto encoded = encode_texts(texts, pipeline, setup.vocabulary, job.ngrams, compute_threads());
  return std::make_unique<RankingDataset>(std::move(encoded.ids), std::move(rows));
}

// The vocabulary of the training texts; with vectors to start from, their words as well.
Vocabulary make_vocabulary(TokenizedTexts& tokens, std::span<const int64_t> texts, const DssmJob& job,
                           const std::optional<WordVectors>& vectors) {
  auto counts = tokens.count(texts);
  for (int64_t id = 0; vectors && job.start.vector_words && id < vectors->size(); ++id) {
    const auto word = static_cast<size_t>(tokens.words.add(vectors->word(id)));
    if (word >= counts.size()) counts.resize(word + 1);
    counts[word] = std::max(counts[word], job.vocabulary.min_count);
  }
  return Vocabulary(tokens.words, counts, job.vocabulary);
}

std::string fingerprint(const PreparedData& data) {
  Fingerprint fingerprint;
  const auto add = [&](const RaggedIds& ids) {
    fingerprint.add(std::span(ids.values));
    fingerprint.add(std::span(ids.offsets));
  };
  add(data.train->texts());
  fingerprint.add(std::span(data.train->pairs()));
  if (data.valid) {
    add(data.valid->texts());
    add(data.valid->rows());
  }
  fingerprint.add(data.setup.vocabulary.serialize());
  return fingerprint.digest();
}

int64_t choose_dim(const DssmJob& job, const std::optional<WordVectors>& vectors) {
  if (!vectors) return job.model.dim > 0 ? job.model.dim : kDefaultDim;
  if (job.model.dim > 0 && job.model.dim != vectors->dim())
    throw Error(ErrorKind::Usage, "--dim: expected {}, as {} has, found {}", vectors->dim(),
                job.start.vectors, job.model.dim);
  return vectors->dim();
}

PreparedData prepare(const DssmJob& job, const TextPipeline& pipeline, const Notice& notice) {
  PreparedData data;
  auto& setup = data.setup;
  setup.stop_words = pipeline.stop_words();
  if (!job.start.vectors.empty())
    data.vectors = WordVectors::load(job.start.vectors,
                                     {.limit = job.start.limit, .bad_rows = job.data.bad_rows}, notice);
  setup.dim = choose_dim(job, data.vectors);

  TextRows rows;
  for (const auto& path : job.data.train) read_duplicate_rows(path, job.data.bad_rows, notice, rows);
  if (rows.texts.size() > INT32_MAX)
    throw Error(ErrorKind::Data, "{}: expected at most {} texts, found {}", job.data.train.front(), INT32_MAX,
                rows.texts.size());
  auto tokens = tokenize(rows.texts, pipeline, compute_threads());
  rows.texts = {};
  const auto split = split_of(tokens, rows.starts, job);

  const auto texts = texts_of(rows.starts, split.train);
  setup.vocabulary = make_vocabulary(tokens, texts, job, data.vectors);
  auto encoded = tokens.encode(texts, setup.vocabulary, job.ngrams);
  auto pairs = make_pairs(encoded, rows.starts, split.train, job, notice);
  if (pairs.empty())
    throw Error(ErrorKind::Data, "{}: expected pairs of texts to train on, found none",
                job.data.train.front());
  data.train = std::make_unique<PairDataset>(std::move(encoded), std::move(pairs));
  const auto judged = [&](std::span<const std::string> paths, std::span<const int64_t> part) {
    return paths.empty() ? rank_among_rows(tokens, rows.starts, part, setup, job)
                         : read_for_ranking(paths, pipeline, setup, job, notice);
  };
  data.valid = judged(job.data.valid, split.valid);
  data.test = judged(job.data.test, split.test);
  setup.data_fingerprint = fingerprint(data);

  const auto size = [](const auto& part) { return part ? part->rows().size() : 0; };
  notice(fmt::format(
      "{} rows, {} pairs to train on; {} rows to validate, {} to test; {} words, {} numbers a vector",
      split.train.size(), data.train->size(), size(data.valid), size(data.test),
      setup.vocabulary.size() - setup.vocabulary.first_word(), setup.dim));
  return data;
}

// Copies the vectors of the words that both know into the embedding.
void start_from(const WordVectors& vectors, const Vocabulary& vocabulary, EmbeddingBag& embedding,
                const Notice& notice) {
  const torch::NoGradGuard no_gradient;
  auto table = embedding->weight.to(torch::kCPU);
  auto* to = table.mutable_data_ptr<float>();
  int64_t known = 0;
  for (int32_t id = vocabulary.first_word(); id < vocabulary.size(); ++id)
    if (const int64_t word = vectors.find(vocabulary.word(id)); word >= 0) {
      std::ranges::copy(vectors.vector(word), to + id * vectors.dim());
      ++known;
    }
  if (!embedding->weight.is_cpu()) embedding->weight.copy_(table);
  notice(fmt::format("{} of {} words start from given vectors", known,
                     vocabulary.size() - vocabulary.first_word()));
}

std::unique_ptr<Sampler> make_sampler(const DssmJob& job, const PairDataset& data) {
  const auto seed = static_cast<uint64_t>(job.training.seed);
  if (!job.model.separate) return std::make_unique<ShuffledSampler>(data.size(), seed);
  std::vector<int32_t> groups;
  groups.reserve(data.pairs().size());
  for (const TextPair& pair : data.pairs()) groups.push_back(pair.group);
  return std::make_unique<SeparatingSampler>(std::move(groups), job.training.batch_size, seed);
}

}  // namespace

DssmTask::DssmTask(const DssmJob& job, DssmSetup setup, c10::Device device)
    : setup_(std::move(setup)), ranking_(job.ranking) {
  for (const int64_t k : ranking_.k) metric_names_.push_back(fmt::format("hits@{}", k));
  metrics_.push_back({"mrr", true});
  for (const auto& name : metric_names_) metrics_.push_back({name, true});
  metrics_.push_back({"mean_rank", false});
  encoder_ = DssmEncoder(DssmEncoderOptions{.rows = setup_.vocabulary.size() + job.ngrams.rows(),
                                            .dim = setup_.dim,
                                            .projection = job.model.projection,
                                            .activation = job.model.activation,
                                            .alpha = job.model.alpha,
                                            .learn_alpha = job.model.learn_alpha,
                                            .sparse_gradient = wants_sparse_gradients(job.training.optimizer),
                                            .init_std = job.model.init_std});
  encoder_->to(device);
}

LossSum DssmTask::loss(const PairBatch& batch) {
  const auto sides = encoder_->forward(batch.ids, batch.offsets).chunk(2);
  return nt_xent(sides[0], sides[1], encoder_->alpha(), batch.groups);
}

void DssmTask::observe(const TextBatch& batch, RankingMeasure& measure) {
  measure.add(encoder_->forward(batch.ids, batch.offsets));
}

Json DssmTask::model_info() const {
  return {{"dim", setup_.dim},
          {"vocabulary", setup_.vocabulary.size()},
          {"stop_words", setup_.stop_words},
          {"training_data", setup_.data_fingerprint}};
}

std::map<std::string, std::string> DssmTask::files() const {
  return {{kVocabularyFile, setup_.vocabulary.serialize()}};
}

Json train_model(const DssmJob& job, RunRequest& request) {
  check_options(job);
  const auto device = begin_training(job.training, request);
  const TextPipeline pipeline(job.text);
  auto data = prepare(job, pipeline, request.notice);
  const auto sampler = make_sampler(job, *data.train);

  DssmTask task(job, std::move(data.setup), device);
  if (data.vectors)
    start_from(*std::exchange(data.vectors, std::nullopt), task.setup().vocabulary, task.encoder()->embedding,
               request.notice);
  return run_training(task, job.training, device, checkpoint_base(job), request, *data.train, *sampler,
                      data.valid.get(), data.test.get());
}

DssmModel::DssmModel(const Checkpoint& checkpoint, const std::string& source, c10::Device device)
    : device_(device) {
  expect_task(checkpoint, DssmJob::kTask, source);
  build_model(source, [&] {
    job_from_json(job_, checkpoint.config);
    const Json& info = checkpoint.model_info;
    DssmSetup setup{.vocabulary = vocabulary_of(checkpoint, source),
                    .dim = info.at("dim").get<int64_t>(),
                    .stop_words = info.at("stop_words").get<std::vector<std::string>>(),
                    .data_fingerprint = info.at("training_data").get<std::string>()};
    pipeline_ = std::make_unique<TextPipeline>(job_.text, setup.stop_words);
    task_ = std::make_unique<DssmTask>(job_, std::move(setup), device);
    load_weights(task_->module(), checkpoint, source);
  });
}

DssmModel::~DssmModel() = default;

int64_t DssmModel::dim() const {
  return task_->encoder()->dim();
}

EncodedTexts DssmModel::encode(const Texts& texts) {
  constexpr int64_t kAtOnce = 4096;
  const EvaluationMode mode(task_->module());
  const torch::NoGradGuard no_gradient;
  const auto encoded =
      encode_texts(texts, *pipeline_, task_->setup().vocabulary, job_.ngrams, compute_threads());
  EncodedTexts result{.vectors = at::empty({texts.size(), dim()}),
                      .known = std::vector<char>(static_cast<size_t>(texts.size())),
                      .tokens = encoded.tokens,
                      .unknown_tokens = encoded.unknown_tokens};
  for (int64_t i = 0; i < texts.size(); ++i) result.known[static_cast<size_t>(i)] = encoded.ids.length(i) > 0;
  for (int64_t first = 0; first < texts.size(); first += kAtOnce) {
    std::vector<int64_t> rows(static_cast<size_t>(std::min(kAtOnce, texts.size() - first)));
    std::iota(rows.begin(), rows.end(), first);
    const auto batch = collate(encoded.ids, rows, {}).to(device_);
    result.vectors.narrow(0, first, static_cast<int64_t>(rows.size()))
        .copy_(task_->encoder()->forward(batch.ids, batch.offsets));
  }
  return result;
}

}  // namespace semblance
