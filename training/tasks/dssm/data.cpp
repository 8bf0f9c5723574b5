#include "training/tasks/dssm/data.h"

#include <algorithm>
#include <array>
#include <numeric>

#include "data/error.h"
#include "data/fingerprint.h"
#include "data/random.h"
#include "data/split.h"
#include "models/parallel.h"

namespace semblance {
namespace {

constexpr int64_t kDefaultDim = 100;

std::array<double, 3> training_shares(const DuplicateRowOptions& data) {
  return split_shares(data.split, !data.valid.empty(), !data.test.empty());
}

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
  int64_t all = 0, most = 0;
  for (const int64_t row : rows) {
    const auto at = static_cast<size_t>(row);
    const int64_t of_row = count_pairs(starts[at + 1] - starts[at], job.pairs);
    all += of_row;
    most = std::max(most, of_row);
  }
  constexpr int64_t kMany = 1'000'000;
  if (most > kMany)
    notice(
        fmt::format("warning: {} pairs, {} of them of one row, which take {} MB; see --max-pairs-per-row and "
                    "--pairs",
                    all, most, all * static_cast<int64_t>(sizeof(TextPair)) / 1'000'000));
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
  return std::make_unique<RankingDataset>(setup.features.encode(tokens, texts), std::move(ranked));
}

std::unique_ptr<RankingDataset> read_for_ranking(std::span<const std::string> paths, const DssmSetup& setup,
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
  return std::make_unique<RankingDataset>(setup.features.encode(texts, compute_threads()).ids,
                                          std::move(rows));
}

std::string fingerprint(const DssmData& data) {
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
  fingerprint.add(data.setup.features.vocabulary().serialize());
  return fingerprint.digest();
}

}  // namespace

void check_options(const DssmJob& job) {
  if (job.data.train.empty())
    throw Error(ErrorKind::Usage, "--train: expected a file of rows of duplicates, found none");
  training_shares(job.data);
  check_embedding(job.model.embedding, job.start);
  if (job.start.freeze && job.model.projection.empty() && !job.model.learn_alpha)
    throw Error(ErrorKind::Usage,
                "--freeze: expected layers to train beside the embedding (--projection), found none");
  if (job.start.freeze && job.ngrams.rows() > 0)
    throw Error(ErrorKind::Usage, "--freeze: expected an embedding of words alone, found one of n-grams too");
}

DssmData prepare_data(const DssmJob& job, const StartVectors& vectors, const Notice& notice) {
  DssmData data{.train = {}, .valid = {}, .test = {}, .setup = {.features = {job.text, job.ngrams}}};
  auto& setup = data.setup;
  setup.dim = vectors.dim(job.model.dim, kDefaultDim);

  TextRows rows;
  for (const auto& path : job.data.train) read_duplicate_rows(path, job.data.bad_rows, notice, rows);
  if (rows.texts.size() > INT32_MAX)
    throw Error(ErrorKind::Data, "{}: expected at most {} texts, found {}", job.data.train.front(), INT32_MAX,
                rows.texts.size());
  auto tokens = setup.features.tokenize(rows.texts, compute_threads());
  rows.texts = {};
  const auto split = split_of(tokens, rows.starts, job);

  const auto texts = texts_of(rows.starts, split.train);
  setup.features.set_vocabulary(vectors.vocabulary(tokens, texts, job.vocabulary));
  auto encoded = setup.features.encode(tokens, texts);
  if (job.model.token_weights == TokenWeights::Idf)
    setup.idf = inverse_document_frequencies(encoded, setup.features.rows());
  auto pairs = make_pairs(encoded, rows.starts, split.train, job, notice);
  if (pairs.empty())
    throw Error(ErrorKind::Data, "{}: expected pairs of texts to train on, found none",
                job.data.train.front());
  data.train = std::make_unique<PairDataset>(std::move(encoded), std::move(pairs));
  const auto dataset_of = [&](std::span<const std::string> paths, std::span<const int64_t> part) {
    return paths.empty() ? rank_among_rows(tokens, rows.starts, part, setup, job)
                         : read_for_ranking(paths, setup, job, notice);
  };
  data.valid = dataset_of(job.data.valid, split.valid);
  data.test = dataset_of(job.data.test, split.test);
  setup.data_fingerprint = fingerprint(data);

  const auto size = [](const auto& part) { return part ? part->rows().size() : 0; };
  notice(
      fmt::format("{} rows, {} pairs to train on; {} rows to validate, {} to test; {} words, {} dimensions",
                  split.train.size(), data.train->size(), size(data.valid), size(data.test),
                  setup.features.words(), setup.dim));
  return data;
}

}  // namespace semblance
