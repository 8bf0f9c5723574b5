// The options of `train trigram`: a job file's sections, one struct each.
#pragma once

#include <array>
#include <string>

#include "data/text/ngram_index.h"
#include "data/vectors/vector_file.h"
#include "models/embedding_bag.h"
#include "training/trainer_options.h"

namespace semblance {

template <>
struct EnumNames<BagPooling> {
  static constexpr std::array names{std::pair{BagPooling::Sum, "sum"}, std::pair{BagPooling::Mean, "mean"}};
};

struct KnownWordOptions {
  std::string vectors, words;
  double held_out = 0.1;

  template <class Self, class Visit>
  static void fields(Self& self, Visit&& visit) {
    visit("vectors", self.vectors,
          Field{.help = "word vectors to learn from, in any format", .hint = "FILE"});
    visit("words", self.words,
          Field{.help = "learn from the words of this list alone, one a line", .hint = "FILE"});
    visit("held-out", self.held_out,
          Field{.help = "share of the words to judge by instead, taken at even distances: 0.1 is every tenth",
                .min = 0,
                .max = 0.9});
  }
};

struct TrigramModelOptions {
  BagPooling pooling = BagPooling::Sum;
  double init_std = 0.01;

  template <class Self, class Visit>
  static void fields(Self& self, Visit&& visit) {
    visit("pooling", self.pooling, Field{.help = "how a word's vector is made of its runs'"});
    visit("init-std", self.init_std,
          Field{.help = "spread of the runs' first vectors", .min = 0, .max = 100});
  }
};

struct TrigramJob {
  static constexpr const char* kTask = "trigram";
  static constexpr const char* kInput = "--vectors";  ///< the option without which nothing can be trained

  KnownWordOptions data;
  VectorFileOptions file;
  NgramIndexOptions runs;
  TrigramModelOptions model;
  TrainerOptions training = {.epochs = 10,
                             .batch_size = 128,
                             .learning_rate = 0.01,
                             .optimizer = OptimizerKind::LazyAdam,
                             .weight_decay = 2,
                             .schedule = ScheduleKind::Linear};

  template <class Self, class Visit>
  static void sections(Self& self, Visit&& visit) {
    visit("data", self.data, "Known words");
    visit("file", self.file, "Reading the vectors");
    visit("runs", self.runs, "Runs of characters");
    visit("model", self.model, "Model");
    visit("training", self.training, "Training");
  }
};

}  // namespace semblance
