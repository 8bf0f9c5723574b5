// The options of `train dssm`: a job file's sections, one struct each.
#pragma once

#include <string>
#include <vector>

#include "data/readers/input_options.h"
#include "data/text/ngrams.h"
#include "data/text/text_pipeline.h"
#include "data/text/vocabulary.h"
#include "data/text_pairs.h"
#include "training/ranking.h"
#include "training/tasks/activation_names.h"
#include "training/trainer_options.h"

namespace semblance {

struct DuplicateRowOptions {
  std::vector<std::string> train, valid, test;
  std::vector<double> split = {0.95, 0.05, 0};
  int64_t negatives = 1000;
  BadRows bad_rows = BadRows::Error;

  template <class Self, class Visit>
  static void fields(Self& self, Visit&& visit) {
    visit(
        "train", self.train,
        Field{.help =
                  "rows of texts that are duplicates of each other, between tabs; may be given several times",
              .hint = "FILE",
              .repeated = true});
    visit("valid", self.valid,
          Field{.help =
                    "rows to choose the best epoch by: a question, its duplicate and negatives, between tabs",
                .hint = "FILE",
                .repeated = true});
    visit("test", self.test,
          Field{.help = "such rows to judge the best epoch by", .hint = "FILE", .repeated = true});
    visit("split", self.split,
          Field{.help =
                    "shares of --train's rows for training, validation and test; a part whose file is given "
                    "leaves its share to training",
                .min = 0,
                .max = 1,
                .hint = "A,B,C"});
    visit(
        "negatives", self.negatives,
        Field{.help = "most candidates, drawn from the other rows, among which a row of --split's validation "
                      "and test parts ranks its second text for its first",
              .min = 1,
              .max = 1e6});
    visit("bad-rows", self.bad_rows,
          Field{.help = "stop at a row or a vector that cannot be used, or skip and count it"});
  }
};

struct StartOptions {
  std::string vectors;
  int64_t limit = 0;
  bool vector_words = true;

  template <class Self, class Visit>
  static void fields(Self& self, Visit&& visit) {
    visit("vectors", self.vectors,
          Field{.help = "word vectors to start from, in any format", .hint = "FILE"});
    visit("limit", self.limit,
          Field{.help = "read the first N of --vectors alone; 0: all", .min = 0, .max = 2e9});
    visit("vector-words", self.vector_words,
          Field{.help = "know the words of --vectors that the training texts lack, too"});
  }
};

struct DssmModelOptions {
  int64_t dim = 0;
  std::vector<int64_t> projection = {};
  Activation activation = Activation::Tanh;
  double init_std = 1;
  double alpha = 0.05;
  bool learn_alpha = false;
  bool separate = false;

  template <class Self, class Visit>
  static void fields(Self& self, Visit&& visit) {
    visit(
        "dim", self.dim,
        Field{
            .help = "columns of the embedding; 0: as many as --vectors has, or 100", .min = 0, .max = 65536});
    visit("projection", self.projection,
          Field{.help = "widths of layers after the mean of the embeddings",
                .min = 1,
                .max = 65536,
                .hint = "N,N,…"});
    visit("activation", self.activation, Field{.help = "between those layers"});
    visit("init-std", self.init_std,
          Field{.help = "spread of the first embeddings, where --vectors has none", .min = 0, .max = 100});
    visit("alpha", self.alpha, Field{.help = "temperature of NT-Xent", .min = 1e-4, .max = 100});
    visit("learn-alpha", self.learn_alpha, Field{.help = "learn the temperature, from --alpha on"});
    visit(
        "no-duplicates", self.separate,
        Field{
            .help =
                "keep pairs of one row out of one batch; without it they are no candidates for each other"});
  }
};

struct DssmJob {
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
  TrainerOptions training = {.batch_size = 256, .learning_rate = 0.01, .optimizer = OptimizerKind::LazyAdam};

  template <class Self, class Visit>
  static void sections(Self& self, Visit&& visit) {
    visit("data", self.data, "Data");
    visit("pairs", self.pairs, "Pairs");
    visit("text", self.text, "Cleaning and tokens");
    visit("vocabulary", self.vocabulary, "Vocabulary");
    visit("ngrams", self.ngrams, "Runs of words and of characters");
    visit("start", self.start, "Word vectors to start from");
    visit("model", self.model, "Model");
    visit("ranking", self.ranking, "Ranking");
    visit("training", self.training, "Training");
  }
};

}  // namespace semblance
