#include "training/tasks/dssm/data.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <numeric>

#include "data/error.h"
#include "data/fingerprint.h"
#include "data/random.h"
#include "data/split.h"
#include "models/parallel.h"
#include "training/text_cache.h"

namespace semblance {
namespace {

constexpr int64_t kDefaultDim = 100;

std::array<double, 3> training_shares(const DuplicateRowOptions& data) {
  return split_shares(data.split, !data.valid.empty(), !data.test.empty());
}

// The rows of --train; their texts go to `take` where it is given.
TextRows read_rows(const DssmJob& job, const Notice& notice, RowLayout& layout,
                   const std::function<void(std::string_view)>& take = {}) {
  const auto& files = job.data.train;
  TextRows rows;
  layout = read_duplicate_rows(files.front(), job.data.file, notice, rows, nullptr, take);
  for (size_t i = 1; i < files.size(); ++i) {
    read_duplicate_rows(files[i], job.data.file, notice, rows, &layout, take);
    if (!rows.scores.empty() && static_cast<int64_t>(rows.scores.size()) != rows.size())
      throw Error(ErrorKind::Data, "{}: expected scores in every file of rows or in none, found both",
                  files[i]);
  }
  if (rows.starts.back() > INT32_MAX)
    throw Error(ErrorKind::Data, "{}: expected at most {} texts, found {}", files.front(), INT32_MAX,
                rows.starts.back());
  return rows;
}

// Groups of equal texts, where texts without a token are equal to none.
Bulk<int64_t> text_groups(const TokenizedTexts& tokens) {
  auto groups = tokens.duplicate_groups();
  for (size_t text = 0; text < groups.size(); ++text)
    if (tokens.tokens.length(static_cast<int64_t>(text)) == 0) groups[text] = static_cast<int64_t>(text);
  return groups;
}

// What is held out or trained on as a whole: texts that are duplicates of each other.
struct Units {
  RaggedIds texts;
  Bulk<int32_t> rows;  // the row of each
};

// Rows, or a row's texts in random twos, the last with a third where they are odd.
Units units_of(const TextRows& rows, const DssmJob& job) {
  Units units;
  for (int64_t row = 0; row < rows.size(); ++row) {
    const auto at = static_cast<size_t>(row);
    std::vector<int32_t> texts(static_cast<size_t>(rows.negatives[at] - rows.starts[at]));
    std::iota(texts.begin(), texts.end(), static_cast<int32_t>(rows.starts[at]));
    size_t size = texts.size();
    if (job.data.split_by == SplitBy::Text) {
      RandomStream random(mix(mix(static_cast<uint64_t>(job.training.seed), 0x7e87), at));
      for (size_t i = texts.size(); i > 1; --i) std::swap(texts[i - 1], texts[random.below(i)]);
      size = 2;
    }
    for (size_t first = 0; first + 1 < texts.size(); first += size) {
      const auto end = first + 2 * size > texts.size() ? texts.size() : first + size;
      units.texts.push_back(std::span(texts).subspan(first, end - first));
      units.rows.push_back(static_cast<int32_t>(row));
      if (end == texts.size()) break;
    }
  }
  return units;
}

// Units that have a text in common are of one group.
Bulk<int64_t> group_units(const Units& units, std::span<const int64_t> text_groups) {
  Bulk<int64_t> groups;
  groups.reserve(units.texts.values.size());
  for (const int32_t text : units.texts.values) groups.push_back(text_groups[static_cast<size_t>(text)]);
  return group_rows(units.texts.offsets, groups);
}

bool holds_out(const DssmJob& job) {
  const auto shares = training_shares(job.data);
  return shares[1] > 0 || shares[2] > 0;
}

// `text_groups` is for those that hold out something.
Split split_units(const Units& units, std::span<const int64_t> text_groups, const DssmJob& job) {
  if (holds_out(job))
    return split_rows(group_units(units, text_groups), training_shares(job.data),
                      static_cast<uint64_t>(job.training.seed));
  Split whole;
  whole.train.resize(units.rows.size());
  std::iota(whole.train.begin(), whole.train.end(), 0);
  return whole;
}

// What is trained on: each row's texts that are not held out, in their order, then its hard negatives.
struct TrainingTexts {
  Bulk<int64_t> texts;  // by number
  struct Row {
    int32_t row, first, negatives, end;  // places in `texts`
  };
  Bulk<Row> rows;
};

TrainingTexts training_texts(const TextRows& rows, const Units& units, std::span<const int64_t> trained) {
  TrainingTexts training;
  auto& texts = training.texts;
  const auto here = [&] { return static_cast<int32_t>(texts.size()); };
  for (size_t i = 0; i < trained.size();) {
    const int32_t row = units.rows[static_cast<size_t>(trained[i])];
    const int32_t first = here();
    for (; i < trained.size() && units.rows[static_cast<size_t>(trained[i])] == row; ++i)
      for (const int32_t text : units.texts[trained[i]]) texts.push_back(text);
    std::sort(texts.begin() + first, texts.end());
    const int32_t negatives = here();
    const auto at = static_cast<size_t>(row);
    for (int64_t text = rows.negatives[at]; text < rows.starts[at + 1]; ++text) texts.push_back(text);
    training.rows.push_back({row, first, negatives, here()});
  }
  return training;
}

Bulk<TextPair> make_pairs(const RaggedIds& texts, const TrainingTexts& training, const DssmJob& job,
                          const Notice& notice) {
  Bulk<TextPair> pairs;
  int64_t all = 0, most = 0;
  for (const auto& row : training.rows) {
    const int64_t of_row = count_pairs(row.negatives - row.first, job.pairs);
    all += of_row;
    most = std::max(most, of_row);
  }
  constexpr int64_t kMany = 1'000'000;
  if (most > kMany)
    notice(
        fmt::format("warning: {} pairs, {} of them of one row, which take {} MB; see --max-pairs-per-row and "
                    "--pairs",
                    all, most, all * static_cast<int64_t>(sizeof(TextPair)) / 1'000'000));
  for (const auto& row : training.rows)
    append_pairs(row.first, row.negatives, row.row, job.pairs,
                 mix(static_cast<uint64_t>(job.training.seed), static_cast<uint64_t>(row.row)), pairs);
  const auto empty = std::erase_if(pairs, [&](const TextPair& pair) {
    return texts.length(pair.first) == 0 || texts.length(pair.second) == 0;
  });
  if (empty > 0) notice(fmt::format("warning: left out {} pair(s) with a text of no known word", empty));
  return pairs;
}

// Each row's hard negatives, but those that tell nothing.
RaggedIds make_negatives(const RaggedIds& texts, const TrainingTexts& training, int64_t rows,
                         const Notice& notice) {
  RaggedIds negatives;
  int64_t useless = 0;
  for (const auto& row : training.rows) {
    while (negatives.size() < row.row) negatives.close_row();
    for (int32_t text = row.negatives; text < row.end; ++text) {
      bool useful = texts.length(text) > 0;
      for (int32_t own = row.first; useful && own < row.negatives; ++own)
        useful = !std::ranges::equal(texts[own], texts[text]);
      if (useful) negatives.values.push_back(text);
      useless += !useful;
    }
    negatives.close_row();
  }
  while (negatives.size() < rows) negatives.close_row();
  if (useless > 0)
    notice(fmt::format(
        "warning: left out {} hard negative(s) of no known word, or equal to a duplicate in their row",
        useless));
  if (negatives.values.empty()) return {};
  return negatives;
}

// The cosine that each row's texts are to have. Scores of another range are stretched to that from 0 to 1.
Bulk<float> make_scores(std::span<const double> scores, const TrainingTexts& training,
                        const std::string& file, const Notice& notice) {
  if (scores.empty()) return {};
  double least = INFINITY, most = -INFINITY;
  for (const auto& row : training.rows) {
    least = std::min(least, scores[static_cast<size_t>(row.row)]);
    most = std::max(most, scores[static_cast<size_t>(row.row)]);
  }
  if (!(least < most))
    throw Error(ErrorKind::Data, "{}: expected scores that differ, found {} in every row", file, least);
  const bool are_cosines = least >= -1 && most <= 1;
  if (!are_cosines)
    notice(fmt::format("scores from {} to {}, which are taken for cosines from 0 to 1", least, most));
  Bulk<float> cosines;
  for (const double score : scores)
    cosines.push_back(static_cast<float>(are_cosines ? score : (score - least) / (most - least)));
  return cosines;
}

OtherCandidates other_candidates(const DssmJob& job) {
  return {job.data.negatives, static_cast<uint64_t>(job.training.seed)};
}

struct HeldOutRows {
  Bulk<int64_t> texts;  // by number
  RaggedIds rows;       // places in `texts`
  Bulk<double> scores;
};

// The first text of each of the units is to find its second among those of other rows and its own row's hard
// negatives; where rows have scores, it is to be as near to it as they say.
HeldOutRows rank_held_out(const TextRows& rows, const Units& units, std::span<const int64_t> held_out,
                          std::span<const int64_t> row_groups, const DssmJob& job, const Notice& notice) {
  if (held_out.empty()) return {};
  Bulk<int64_t> texts, groups;
  Bulk<std::array<int32_t, 2>> pairs;
  Bulk<double> scores;
  RaggedIds own;
  const auto add = [&](int64_t text) {
    texts.push_back(text);
    return static_cast<int32_t>(texts.size()) - 1;
  };
  for (const int64_t unit : held_out) {
    const auto row = static_cast<size_t>(units.rows[static_cast<size_t>(unit)]);
    pairs.push_back({add(units.texts[unit][0]), add(units.texts[unit][1])});
    groups.push_back(row_groups[row]);
    if (!rows.scores.empty()) scores.push_back(rows.scores[row]);
    for (int64_t text = rows.negatives[row]; text < rows.starts[row + 1]; ++text)
      own.values.push_back(add(text));
    own.close_row();
  }
  RaggedIds ranked;
  if (scores.empty())
    ranked = rank_among_others(pairs, groups, other_candidates(job), own);
  else
    for (const auto& pair : pairs) ranked.push_back(pair);
  const auto left_out = static_cast<int64_t>(pairs.size()) - ranked.size();
  if (left_out > 0)
    notice(fmt::format("warning: left out {} held-out row(s) that have no other's text to be ranked among",
                       left_out));
  return {std::move(texts), std::move(ranked), std::move(scores)};
}

RankingRows read_for_ranking(std::span<const std::string> paths, const DssmSetup& setup, const DssmJob& job,
                             const Notice& notice) {
  RankingRows all;
  auto& [texts, rows, scores] = all;
  for (const auto& path : paths) {
    RankingRowReader reader(path, job.data.file.for_other_files(), other_candidates(job), &setup.rows);
    if (reader.scored() != setup.rows.score.has_value())
      throw Error(ErrorKind::Data, "{}: expected rows laid out as those of --train, which have scores", path);
    for (RankingRows part; reader.next(part);) {
      const auto before = static_cast<int32_t>(texts.size());
      for (int64_t text = 0; text < part.texts.size(); ++text) texts.push_back(part.texts[text]);
      for (int64_t row = 0; row < part.rows.size(); ++row) {
        for (const int32_t text : part.rows[row]) rows.values.push_back(before + text);
        rows.close_row();
      }
      scores.insert(scores.end(), part.scores.begin(), part.scores.end());
    }
    reader.finish(notice);
  }
  return all;
}

// Tells where a training is to be steered by what cannot change.
void check_metric(const DssmJob& job, const RankingDataset& valid, const Notice& notice) {
  constexpr std::string_view kHits = "hits@";
  if (!valid.scores().empty() || !job.training.metric.starts_with(kHits)) return;
  int64_t most = 0;
  for (int64_t row = 0; row < valid.rows().size(); ++row) most = std::max(most, valid.rows().length(row) - 1);
  const auto k = parse_integer(std::string_view(job.training.metric).substr(kHits.size()), "metric", {});
  if (most <= k)
    notice(
        fmt::format("warning: --metric {}: no row has more than {} candidates, so that it is 1 for "
                    "whatever vectors",
                    job.training.metric, most));
}

std::string fingerprint(const DssmData& data) {
  Fingerprint fingerprint;
  const auto add = [&](const RaggedIdsView& ids) {
    fingerprint.add(std::span(ids.values));
    fingerprint.add(std::span(ids.offsets));
  };
  add(data.train->texts());
  fingerprint.add(std::span(data.train->pairs()));
  if (const auto& extra = data.train->extra(); extra.negatives.size() > 0 || !extra.scores.empty()) {
    add(extra.negatives);
    fingerprint.add(std::span(extra.scores));
  }
  if (data.valid) {
    add(data.valid->texts());
    add(data.valid->rows());
    if (!data.valid->scores().empty()) fingerprint.add(std::span(data.valid->scores()));
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
  if (job.start.freeze && job.ngrams.all_buckets() > 0)
    throw Error(ErrorKind::Usage, "--freeze: expected an embedding of words alone, found one of n-grams too");
  if (job.scored() && (job.model.learn_alpha || !job.data.file.negatives_columns.empty()))
    throw Error(
        ErrorKind::Usage,
        "--score-column: expected neither --learn-alpha nor --negatives-column beside it: a cosine is "
        "fitted to each score");
}

namespace {

DssmData make_data(const DssmJob& job, const StartVectors& vectors, const Notice& notice) {
  DssmData data{.train = {},
                .valid = {},
                .test = {},
                .setup = {.features = {job.text, job.ngrams, vectors.word_piece()}}};
  auto& setup = data.setup;
  setup.dim = vectors.dim(job.model.dim, kDefaultDim);

  TextTokenizer tokenizer(setup.features.pipeline(), compute_threads());
  auto rows = read_rows(job, notice, setup.rows, [&](std::string_view text) { tokenizer.add(text); });
  auto tokens = tokenizer.take();
  const auto units = units_of(rows, job);
  Bulk<int64_t> equal_texts;
  if (holds_out(job)) equal_texts = text_groups(tokens);
  const auto split = split_units(units, equal_texts, job);

  const auto training = training_texts(rows, units, split.train);
  setup.features.set_vocabulary(vectors.vocabulary(tokens, training.texts, job.vocabulary));
  auto encoded = setup.features.fit(tokens, training.texts, compute_threads());
  if (job.model.token_weights == TokenWeights::Idf)
    setup.idf = inverse_document_frequencies(encoded, setup.features.rows());
  auto pairs = make_pairs(encoded, training, job, notice);
  if (pairs.empty())
    throw Error(ErrorKind::Data, "{}: expected pairs of texts to train on, found none",
                job.data.train.front());
  PairExtras extra{
      .negatives = FrozenIds(make_negatives(encoded, training, rows.size(), notice)),
      .scores = Frozen<float>(make_scores(rows.scores, training, job.data.train.front(), notice))};
  const auto hard = extra.negatives.values.size();
  data.train = std::make_unique<PairDataset>(std::move(encoded), std::move(pairs), std::move(extra));

  Bulk<int64_t> row_groups;
  if (!split.valid.empty() || !split.test.empty()) row_groups = group_units(units_of(rows, {}), equal_texts);
  const auto dataset_of = [&](std::span<const std::string> paths, std::span<const int64_t> part) {
    if (!paths.empty()) return encode_rows(read_for_ranking(paths, setup, job, notice), setup);
    auto ranked = rank_held_out(rows, units, part, row_groups, job, notice);
    if (ranked.rows.size() == 0) return std::unique_ptr<RankingDataset>();
    return std::make_unique<RankingDataset>(setup.features.encode(tokens, ranked.texts, compute_threads()),
                                            std::move(ranked.rows), std::move(ranked.scores));
  };
  data.valid = dataset_of(job.data.valid, split.valid);
  data.test = dataset_of(job.data.test, split.test);
  setup.data_fingerprint = fingerprint(data);

  const auto size = [](const auto& part) { return part ? part->rows().size() : 0; };
  notice(fmt::format(
      "{} rows, {} pairs{} to train on; {} rows to validate, {} to test; {} words, {} dimensions",
      training.rows.size(), data.train->size(), hard > 0 ? fmt::format(" and {} hard negatives", hard) : "",
      size(data.valid), size(data.test), setup.features.words(), setup.dim));
  return data;
}

// The options that the encoded texts follow from, besides what the inputs hold.
Json data_options(const DssmJob& job, const TextFeatures& features) {
  Json json = {{"data", options_to_json(job.data)},
               {"pairs", options_to_json(job.pairs)},
               {"text", options_to_json(job.text)},
               {"stop_words", features.pipeline().stop_words()},
               {"vocabulary", options_to_json(job.vocabulary)},
               {"ngrams", options_to_json(job.ngrams)},
               {"start", options_to_json(job.start)},
               {"token_weights", enum_name(job.model.token_weights)},
               {"seed", job.training.seed}};
  json["data"].erase("cache");
  return json;
}

void add_part(ArrayFileWriter& writer, const std::string& name, const RankingDataset* part) {
  if (!part) return;
  add_rows(writer, name, part->texts());
  add_rows(writer, name + ".rows", part->rows());
  writer.add(name + ".scores", std::span<const double>(part->scores()));
}

std::unique_ptr<RankingDataset> part_in(const ArrayFile& file, const std::string& name) {
  if (!file.has(name + ".scores")) return nullptr;
  return std::make_unique<RankingDataset>(rows_in(file, name), rows_in(file, name + ".rows"),
                                          file.array<double>(name + ".scores"));
}

Json save(const DssmData& data, ArrayFileWriter& writer) {
  add_rows(writer, "train", data.train->texts());
  writer.add("train.pairs", std::span<const TextPair>(data.train->pairs()));
  add_rows(writer, "train.negatives", data.train->extra().negatives);
  writer.add("train.scores", std::span<const float>(data.train->extra().scores));
  add_part(writer, "valid", data.valid.get());
  add_part(writer, "test", data.test.get());
  const auto& setup = data.setup;
  writer.add("idf", std::span(setup.idf));
  return {{"features", add_features(writer, setup.features)},
          {"rows", row_layout_to_json(setup.rows)},
          {"fingerprint", setup.data_fingerprint}};
}

DssmData load(const ArrayFile& file, const DssmJob& job, const StartVectors& vectors) {
  const auto& notes = file.notes();
  const auto idf = file.array<float>("idf");
  return {.train = std::make_unique<PairDataset>(
              rows_in(file, "train"), file.array<TextPair>("train.pairs"),
              PairExtras{rows_in(file, "train.negatives"), file.array<float>("train.scores")}),
          .valid = part_in(file, "valid"),
          .test = part_in(file, "test"),
          .setup = {.features = features_in(file, job.text, job.ngrams, notes.at("features")),
                    .dim = vectors.dim(job.model.dim, kDefaultDim),
                    .rows = notes.at("rows").is_null() ? RowLayout() : row_layout_from_json(notes.at("rows")),
                    .idf = {idf.begin(), idf.end()},
                    .data_fingerprint = notes.at("fingerprint")}};
}

DssmData through_cache(const DssmJob& job, const StartVectors& vectors, const Notice& notice) {
  TextCache cache(job.data.cache, inputs_of_texts(job, job.start), notice);
  const auto options = data_options(job, {job.text, job.ngrams, vectors.word_piece()});
  return cache.get(
      [&]() -> std::optional<DssmData> {
        const auto file = cache.find("dssm", options);
        if (!file) return std::nullopt;
        return load(*file, job, vectors);
      },
      [&](const Notice& told) {
        const auto data = make_data(job, vectors, told);
        cache.keep("dssm", options, [&](ArrayFileWriter& writer) { return save(data, writer); });
      });
}

}  // namespace

DssmData prepare_data(const DssmJob& job, const StartVectors& vectors, const Notice& notice) {
  auto data = job.data.cache.empty() ? make_data(job, vectors, notice) : through_cache(job, vectors, notice);
  if (data.valid) check_metric(job, *data.valid, notice);
  return data;
}

std::unique_ptr<RankingDataset> encode_rows(RankingRows rows, const DssmSetup& setup) {
  if (rows.rows.size() == 0) return nullptr;
  return std::make_unique<RankingDataset>(setup.features.encode(rows.texts, compute_threads()).ids,
                                          std::move(rows.rows), std::move(rows.scores));
}

RankingRows read_validation(const DssmSetup& setup, const DssmJob& job, const Notice& notice) {
  if (!job.data.valid.empty()) return read_for_ranking(job.data.valid, setup, job, notice);
  RowLayout layout;
  const auto rows = read_rows(job, notice, layout);
  const auto tokens = setup.features.tokenize(rows.texts, compute_threads());
  const auto units = units_of(rows, job);
  const auto equal_texts = text_groups(tokens);
  const auto split = split_units(units, equal_texts, job);
  auto ranked =
      rank_held_out(rows, units, split.valid, group_units(units_of(rows, {}), equal_texts), job, notice);
  return {select_rows<Texts>(rows.texts, ranked.texts), std::move(ranked.rows), std::move(ranked.scores)};
}

}  // namespace semblance
