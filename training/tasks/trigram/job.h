// The options of `train trigram`: a job file's sections, one struct each.
#pragma once

#include <array>
#include <string>

#include "data/text/ngram_index.h"
#include "data/vectors/vector_file.h"
#include "models/networks.h"
#include "training/job.h"

namespace semblance {

template <>
struct EnumNames<BagPooling> {
  static constexpr std::array names{std::pair{BagPooling::Sum, "sum"}, std::pair{BagPooling::Mean, "mean"}};
};

struct KnownWordOptions {
  std::string vectors, words;
  double held_out = 0.1;

  void fields(FieldList& list) {
    list.add("vectors", vectors,
             {.help = "word vectors to learn from, in any format", .hint = "FILE", .input = true});
    list.add(
        "words", words,
        {.help = "learn from the words of this list alone, one per line", .hint = "FILE", .input = true});
    list.add(
        "held-out", held_out,
        {.help = "share of the words held out for validation, taken at even distances: 0.1 is every tenth",
         .min = 0,
         .max = 0.9});
  }
};

struct TrigramModelOptions {
  BagPooling pooling = BagPooling::Sum;
  double init_std = 0.01;

  void fields(FieldList& list) {
    list.add("pooling", pooling, {.help = "how a word's vector is made of its n-grams' vectors"});
    list.add("init-std", init_std,
             {.help = "standard deviation of the initial n-gram vectors", .min = 0, .max = 100});
  }
};

struct TrigramJob : Job {
  static constexpr const char* kTask = "trigram";
  static constexpr const char* kInput = "--vectors";  ///< the option without which nothing can be trained

  KnownWordOptions data;
  VectorFileOptions file;
  NgramIndexOptions index;
  TrigramModelOptions model;

  TrigramJob() {
    training.epochs = 10;
    training.batch_size = 128;
    training.learning_rate = 0.01;
    training.optimizer = OptimizerKind::LazyAdam;
    training.weight_decay = 2;
    training.schedule = ScheduleKind::Linear;
  }
  bool has_validation() const override { return data.held_out > 0; }
  std::string_view task() const override { return kTask; }
  void sections(SectionList& list) override {
    list.add("data", data, "Known words");
    list.add("file", file, "Reading the vectors");
    list.add("runs", index, "Character n-grams");
    list.add("model", model, "Model");
    list.add("training", training, "Training");
    list.field("weight-decay").search = {.factor = 6};
  }
};

struct RunRequest;

/// Trains (or resumes, as `request` says) and returns the final report. Throws Error for every wrong input
/// before the run folder is touched.
Json train_model(const TrigramJob& job, RunRequest& request);

}  // namespace semblance
