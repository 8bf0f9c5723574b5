// The options of `train sentiment`: a job file's sections, one struct each.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "data/fields.h"
#include "data/labelled_dataset.h"
#include "data/readers/input_options.h"
#include "data/sampler.h"
#include "data/text/ngrams.h"
#include "data/text/text_pipeline.h"
#include "data/text/vocabulary.h"
#include "training/tasks/activation_names.h"
#include "training/trainer_options.h"

namespace semblance {

enum class ClassifierKind { Mlp, Mean, Flat };
enum class ClassifierPooling { Mean, PaddedMean };
enum class LossChoice { Auto, Bce, BceLogits, CrossEntropy, Nll };

template <>
struct EnumNames<ClassifierKind> {
  static constexpr std::array names{std::pair{ClassifierKind::Mlp, "mlp"},
                                    std::pair{ClassifierKind::Mean, "mean"},
                                    std::pair{ClassifierKind::Flat, "flat"}};
};
template <>
struct EnumNames<ClassifierPooling> {
  static constexpr std::array names{std::pair{ClassifierPooling::Mean, "mean"},
                                    std::pair{ClassifierPooling::PaddedMean, "padded-mean"}};
};
template <>
struct EnumNames<LossChoice> {
  static constexpr std::array names{std::pair{LossChoice::Auto, "auto"}, std::pair{LossChoice::Bce, "bce"},
                                    std::pair{LossChoice::BceLogits, "bce-logits"},
                                    std::pair{LossChoice::CrossEntropy, "cross-entropy"},
                                    std::pair{LossChoice::Nll, "nll"}};
};
struct DataOptions {
  std::vector<std::string> train, valid, test;
  std::vector<double> split = {0.8, 0.1, 0.1};
  bool split_duplicates = false;

  template <class Self, class Visit>
  static void fields(Self& self, Visit&& visit) {
    visit("train", self.train,
          Field{.help = "labelled texts to train on; may be given several times",
                .hint = "FILE",
                .repeated = true});
    visit("valid", self.valid,
          Field{.help = "labelled texts to choose the best epoch by", .hint = "FILE", .repeated = true});
    visit("test", self.test,
          Field{.help = "labelled texts to judge the best epoch by", .hint = "FILE", .repeated = true});
    visit("split", self.split,
          Field{.help = "shares of --train for training, validation and test; a part whose file is given "
                        "leaves its share to training",
                .min = 0,
                .max = 1,
                .hint = "A,B,C"});
    visit("split-duplicates", self.split_duplicates,
          Field{.help = "let copies of one text fall into different parts"});
  }
};

struct ClassifierOptions {
  ClassifierKind kind = ClassifierKind::Mlp;
  int64_t dim = 16;
  std::vector<int64_t> hidden = {10};
  Activation activation = Activation::Relu;
  double activation_slope = 0.01;
  double dropout = 0.5;
  double embedding_std = 0.1;
  ClassifierPooling pooling = ClassifierPooling::Mean;
  int64_t max_length = 0;
  Side padding = Side::Post;
  Side truncation = Side::Post;
  LossChoice loss = LossChoice::Auto;
  std::string class_weights = "none";
  SamplerKind sampler = SamplerKind::Shuffled;
  double max_weight = 0;

  template <class Self, class Visit>
  static void fields(Self& self, Visit&& visit) {
    visit("model", self.kind,
          Field{.help = "mlp: mean of the embeddings and hidden layers; mean: no hidden layer; flat: "
                        "embeddings side by side"});
    visit("dim", self.dim, Field{.help = "columns of the embedding", .min = 1, .max = 65536});
    visit("hidden", self.hidden,
          Field{.help = "widths of mlp's hidden layers", .min = 1, .max = 65536, .hint = "N,N,…"});
    visit("activation", self.activation, Field{.help = "after each hidden layer"});
    visit("activation-slope", self.activation_slope,
          Field{.help = "of leaky-relu below zero", .min = 0, .max = 1});
    visit("dropout", self.dropout,
          Field{.help = "share of units dropped in training", .min = 0, .max = 0.99});
    visit("embedding-std", self.embedding_std,
          Field{.help = "spread of the embedding's first values", .min = 0, .max = 100});
    visit("pooling", self.pooling,
          Field{.help = "padded-mean also averages the padding, to the longest text of a batch"});
    visit("max-length", self.max_length,
          Field{.help = "cut texts to so many tokens; 0: never (flat needs a length)", .min = 0, .max = 1e6});
    visit("padding", self.padding, Field{.help = "side on which short texts are filled"});
    visit("truncation", self.truncation, Field{.help = "side on which long texts are cut"});
    visit("loss", self.loss,
          Field{.help = "auto: bce-logits for two classes and for sets of labels, else cross-entropy"});
    visit("class-weights", self.class_weights,
          Field{.help = "weight of each class in the loss", .hint = "none|balanced|sqrt-balanced|LIST"});
    visit("sampler", self.sampler,
          Field{.help = "order of the training texts; weighted draws rare classes more often"});
    visit("max-weight", self.max_weight,
          Field{.help = "largest weight of --sampler weighted; 0: no limit", .min = 0});
  }
};

struct SentimentJob {
  static constexpr const char* kTask = "sentiment";
  static constexpr const char* kInput = "--train";  ///< the option without which nothing can be trained

  DataOptions data;
  InputOptions input;
  TextOptions text;
  VocabularyOptions vocabulary;
  NgramOptions ngrams;
  ClassifierOptions model;
  TrainerOptions training;

  template <class Self, class Visit>
  static void sections(Self& self, Visit&& visit) {
    visit("data", self.data, "Data");
    visit("input", self.input, "Layout of the files");
    visit("text", self.text, "Cleaning and tokens");
    visit("vocabulary", self.vocabulary, "Vocabulary");
    visit("ngrams", self.ngrams, "Runs of words and of characters");
    visit("model", self.model, "Model");
    visit("training", self.training, "Training");
  }
};

}  // namespace semblance
