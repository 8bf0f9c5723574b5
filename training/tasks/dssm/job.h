// The options of `train dssm`: a job file's sections, one struct each.
#pragma once

#include <string>
#include <vector>

#include "data/readers/row_file_options.h"
#include "data/text/ngrams.h"
#include "data/text/text_pipeline.h"
#include "data/text/token_weights.h"
#include "data/text/vocabulary.h"
#include "data/text_pairs.h"
#include "training/cache_field.h"
#include "training/job.h"
#include "training/measures/ranking_options.h"
#include "training/tasks/activation_names.h"
#include "training/tasks/embedding_fields.h"
#include "training/tasks/start_options.h"

namespace semblance {

/// What is held out of the training rows.
enum class SplitBy {
  Row,   ///< rows
  Text,  ///< texts of rows that are trained on all the same
};

template <>
struct EnumNames<SplitBy> {
  static constexpr std::array names{std::pair{SplitBy::Row, "row"}, std::pair{SplitBy::Text, "text"}};
};

struct DuplicateRowOptions {
  std::vector<std::string> train, valid, test;
  std::vector<double> split = {0.95, 0.05, 0};
  int64_t negatives = 1000;
  SplitBy split_by = SplitBy::Row;
  RowFileOptions file;
  std::string cache;

  void fields(FieldList& list) {
    list.add(
        "train", train,
        {.help = "rows of texts that are duplicates of each other: tab-separated, CSV or JSON lines; may be "
                 "given several times",
         .hint = "FILE",
         .input = true,
         .repeated = true});
    list.add("valid", valid,
             {.help = "rows for validation: a question, its duplicate and negatives; without "
                      "negatives, the duplicates of other rows are the candidates",
              .hint = "FILE",
              .input = true,
              .repeated = true});
    list.add(
        "test", test,
        {.help = "such rows to test the best epoch on", .hint = "FILE", .input = true, .repeated = true});
    list.add(
        "split", split,
        {.help = "shares of --train's rows for training, validation and test; a part whose file is given "
                 "leaves its share to training",
         .min = 0,
         .max = 1,
         .hint = "A,B,C"});
    list.add("negatives", negatives, kNegativesField);
    list.add("split-by", split_by,
             {.help = "what --split holds out: whole rows, or two texts and more of rows of many, which are "
                      "trained on without them"});
    file.fields(list);
    list.add("cache", cache, kCacheField);
  }
};

struct DssmModelOptions {
  int64_t dim = 0;
  std::vector<int64_t> projection = {};
  Activation activation = Activation::Tanh;
  double init_std = 1;
  double alpha = 0.05;
  bool learn_alpha = false;
  TokenWeights token_weights = TokenWeights::None;
  bool separate = false;
  bool normalize = false;
  EmbeddingOptions embedding = {};

  void fields(FieldList& list) {
    list.add("dim", dim,
             {.help = "dimensions of the embedding; 0: as many as --vectors has, or 100",
              .min = 0,
              .max = 65536,
              .search = {.choices = "50|100|200|300"}});
    list.add("projection", projection,
             {.help = "widths of layers after the mean of the embeddings",
              .min = 1,
              .max = 65536,
              .hint = "N,N,…"});
    list.add("activation", activation, {.help = "between those layers"});
    list.add(
        "init-std", init_std,
        {.help = "standard deviation of the initial embeddings that --vectors lacks", .min = 0, .max = 100});
    list.add("alpha", alpha,
             {.help = "temperature of NT-Xent", .min = 1e-4, .max = 100, .search = {.factor = 3}});
    list.add("learn-alpha", learn_alpha, {.help = "learn the temperature, from --alpha on"});
    list.add("token-weights", token_weights, kTokenWeightsField);
    list.add("no-duplicates", separate,
             {.help = "keep pairs of one row out of one batch; without it they are masked"});
    list.add("normalize", normalize,
             {.help = "make the vectors that encode and export write 1 long; cosines are the same"});
    add_embedding_fields(list, embedding);
  }
};

struct DssmJob : Job {
  static constexpr const char* kTask = "dssm";
  static constexpr const char* kInput = "--train";  ///< the option without which nothing can be trained

  DuplicateRowOptions data;
  PairOptions pairs;
  TextOptions text;
  VocabularyOptions vocabulary;
  NgramOptions ngrams;
  StartOptions start;
  DssmModelOptions model;
  RankingOptions ranking;

  DssmJob() {
    training.batch_size = 256;
    training.learning_rate = 0.01;
    training.optimizer = OptimizerKind::LazyAdam;
  }
  /// Whether pairs have scores, which their cosines are fitted to.
  bool scored() const { return !data.file.score_column.empty(); }
  bool has_validation() const override {
    return !data.valid.empty() || data.split.size() != 3 || data.split[1] > 0;
  }
  std::string_view task() const override { return kTask; }
  void sections(SectionList& list) override {
    list.add("data", data, "Data");
    list.add("pairs", pairs, "Pairs");
    list.add("text", text, "Cleaning and tokens");
    list.add("vocabulary", vocabulary, "Vocabulary");
    list.add("ngrams", ngrams, "N-grams of words and of characters");
    list.add("start", start, "Word vectors to start from");
    list.add("model", model, "Model");
    list.add("ranking", ranking, "Ranking");
    list.add("training", training, "Training");
    if (!start.vectors.empty()) list.field("dim").search = {};
  }
};

struct RunRequest;

/// Trains (or resumes, as `request` says) and returns the final report. Throws Error for every wrong input
/// before the run folder is touched.
Json train_model(const DssmJob& job, RunRequest& request);

}  // namespace semblance
