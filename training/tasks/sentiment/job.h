// The options of `train sentiment`: a job file's sections, one struct each.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "data/batch.h"
#include "data/readers/input_options.h"
#include "data/sampler.h"
#include "data/text/ngrams.h"
#include "data/text/text_pipeline.h"
#include "data/text/token_weights.h"
#include "data/text/vocabulary.h"
#include "models/losses.h"
#include "training/cache_field.h"
#include "training/job.h"
#include "training/tasks/activation_names.h"
#include "training/tasks/embedding_fields.h"
#include "training/tasks/start_options.h"

namespace semblance {

enum class ClassifierKind { Mlp, Mean, Flat, Linear };
enum class ClassifierPooling { Mean, PaddedMean };
enum class LossChoice { Auto, Bce, BceLogits, CrossEntropy, Nll, Sampled };

template <>
struct EnumNames<ClassifierKind> {
  static constexpr std::array names{
      std::pair{ClassifierKind::Mlp, "mlp"}, std::pair{ClassifierKind::Mean, "mean"},
      std::pair{ClassifierKind::Flat, "flat"}, std::pair{ClassifierKind::Linear, "linear"}};
};
template <>
struct EnumNames<ClassifierPooling> {
  static constexpr std::array names{std::pair{ClassifierPooling::Mean, "mean"},
                                    std::pair{ClassifierPooling::PaddedMean, "padded-mean"}};
};
template <>
struct EnumNames<ClassificationLoss> {
  static constexpr std::array names{
      std::pair{ClassificationLoss::Bce, "bce"}, std::pair{ClassificationLoss::BceLogits, "bce-logits"},
      std::pair{ClassificationLoss::CrossEntropy, "cross-entropy"}, std::pair{ClassificationLoss::Nll, "nll"},
      std::pair{ClassificationLoss::Sampled, "sampled"}};
};
template <>
struct EnumNames<LossChoice> {
  static constexpr std::array names{
      std::pair{LossChoice::Auto, std::string_view("auto")},
      std::pair{LossChoice::Bce, enum_name(ClassificationLoss::Bce)},
      std::pair{LossChoice::BceLogits, enum_name(ClassificationLoss::BceLogits)},
      std::pair{LossChoice::CrossEntropy, enum_name(ClassificationLoss::CrossEntropy)},
      std::pair{LossChoice::Nll, enum_name(ClassificationLoss::Nll)},
      std::pair{LossChoice::Sampled, enum_name(ClassificationLoss::Sampled)}};
};

struct DataOptions {
  std::vector<std::string> train, valid, test;
  std::vector<double> split = {0.8, 0.1, 0.1};
  bool split_duplicates = false, stratify = false;
  std::string cache;

  void fields(FieldList& list) {
    list.add("train", train,
             {.help = "labelled texts to train on; may be given several times",
              .hint = "FILE",
              .input = true,
              .repeated = true});
    list.add("valid", valid,
             {.help = "labelled texts for validation: the best epoch is chosen by them",
              .hint = "FILE",
              .input = true,
              .repeated = true});
    list.add("test", test,
             {.help = "labelled texts to test the best epoch on",
              .hint = "FILE",
              .input = true,
              .repeated = true});
    list.add("split", split,
             {.help = "shares of --train for training, validation and test; a part whose file is given "
                      "leaves its share to training",
              .min = 0,
              .max = 1,
              .hint = "A,B,C"});
    list.add("split-duplicates", split_duplicates,
             {.help = "let copies of one text fall into different parts of the split"});
    list.add("stratify", stratify, {.help = "give each part of the split its share of every class"});
    list.add("cache", cache, kCacheField);
  }
};

struct ClassifierOptions {
  ClassifierKind kind = ClassifierKind::Mean;
  int64_t dim = 0;
  std::vector<int64_t> hidden = {};
  Activation activation = Activation::Relu;
  double activation_slope = 0.01;
  double dropout = 0.5;
  double embedding_std = 0.1;
  ClassifierPooling pooling = ClassifierPooling::Mean;
  TokenWeights token_weights = TokenWeights::None;
  double inverse_penalty = 1;
  int64_t max_length = 0;
  Side padding = Side::Post;
  Side truncation = Side::Post;
  LossChoice loss = LossChoice::Auto;
  int64_t sampled_classes = 1000;
  std::string class_weights = "none";
  SamplerKind sampler = SamplerKind::Shuffled;
  double max_weight = 0;
  EmbeddingOptions embedding = {};

  void fields(FieldList& list) {
    list.add("model", kind,
             {.help = "mean: a linear layer on the mean of the embeddings; mlp: hidden layers between them; "
                      "flat: embeddings side by side; linear: logistic regression on TF-IDF. Each has "
                      "defaults of its own, which the log tells; shown here are those of mean"});
    list.add(
        "dim", dim,
        {.help = "dimensions of the embedding; 0: as many as --vectors has, or 16 (mean: 64 with more than "
                 "20 classes or with multi-label texts)",
         .min = 0,
         .max = 65536,
         .search = {.choices = "16|32|64|128"}});
    list.add(
        "hidden", hidden,
        {.help = "widths of mlp's hidden layers, 10 unless given", .min = 1, .max = 65536, .hint = "N,N,…"});
    list.add("activation", activation, {.help = "after each hidden layer"});
    list.add("activation-slope", activation_slope, {.help = "of leaky-relu below zero", .min = 0, .max = 1});
    list.add("dropout", dropout,
             {.help = "probability of dropping a unit in training",
              .min = 0,
              .max = 0.99,
              .search = {.choices = "0|0.2|0.35|0.5|0.65|0.8"}});
    list.add("embedding-std", embedding_std,
             {.help = "standard deviation of the initial embedding", .min = 0, .max = 100});
    list.add("pooling", pooling,
             {.help = "padded-mean also averages the padding, to the longest text of a batch"});
    list.add("token-weights", token_weights, kTokenWeightsField);
    list.add("linear-c", inverse_penalty,
             {.help = "linear: C, as scikit-learn has it: the smaller, the nearer to zero are the weights",
              .min = 1e-6,
              .max = 1e6});
    list.add(
        "max-length", max_length,
        {.help = "truncate texts to so many tokens; 0: never (flat needs a length)", .min = 0, .max = 1e6});
    list.add("padding", padding, {.help = "side on which short texts are padded"});
    list.add("truncation", truncation, {.help = "side on which long texts are truncated"});
    list.add(
        "loss", loss,
        {.help = "auto: bce-logits for two classes and for multi-label texts, else cross-entropy; sampled: "
                 "cross-entropy of a sample of very many classes, trained by lazy-adam unless given"});
    list.add("sampled-classes", sampled_classes,
             {.help = "sampled: how often a class is drawn for a batch", .min = 1, .max = 1e6});
    list.add("class-weights", class_weights,
             {.help = "weight of each class in the loss", .hint = "none|balanced|sqrt-balanced|LIST"});
    list.add("sampler", sampler,
             {.help = "order of the training texts; weighted draws rare classes more often"});
    list.add("max-weight", max_weight,
             {.help = "largest weight of --sampler weighted; 0: no limit", .min = 0});
    add_embedding_fields(list, embedding);
    list.add(
        "zero-padding", embedding.zero_padding,
        {.help = "padded-mean and flat: padding is zero and learns nothing; otherwise a word like others"});
  }
};

/// What is known of the training texts when defaults are chosen.
struct TextFacts {
  int64_t texts = 0, classes = 0;
  double mean_length = 0;  ///< tokens a text
  bool multi_label = false;
  bool unspaced = false;  ///< most tokens are runs of letters of a script without blanks between words
};

struct SentimentJob : Job {
  static constexpr const char* kTask = "sentiment";
  static constexpr const char* kInput = "--train";  ///< the option without which nothing can be trained

  DataOptions data;
  InputOptions input;
  TextOptions text;
  VocabularyOptions vocabulary;
  NgramOptions ngrams;
  StartOptions start;
  ClassifierOptions model;

  std::string_view task() const override { return kTask; }
  void sections(SectionList& list) override {
    list.add("data", data, "Data");
    list.add("input", input, "Layout of the files");
    list.add("text", text, "Cleaning and tokens");
    list.add("vocabulary", vocabulary, "Vocabulary");
    list.add("ngrams", ngrams, "N-grams of words and of characters");
    list.add("start", start, "Word vectors to start from");
    list.add("model", model, "Model");
    list.add("training", training, "Training");
    const bool linear = model.kind == ClassifierKind::Linear;
    if (linear) list.field("linear-c").search = {.factor = 30};
    if (linear) list.field("dropout").search = {};
    if (linear || !start.vectors.empty()) list.field("dim").search = {};
  }
  bool has_validation() const override {
    return !data.valid.empty() || data.split.size() != 3 || data.split[1] > 0;
  }
  static constexpr int64_t kManyTexts = 100000;  ///< more are trained on with care, in fewer epochs

  SentimentJob() { choose_defaults(); }
  /// Those of the kind of model. A linear one is convex: large steps that fall to zero come near its best
  /// weights in ten epochs. A mean one has rows that few texts touch: steps that are the larger the less a
  /// row was touched bring it there in five. Chosen by cross-validation (docs/defaults.md).
  void choose_defaults() override;
  /// Those that follow from the texts, of a mean one.
  void choose_defaults(const TextFacts& facts);
};

struct RunRequest;

/// Trains (or resumes, as `request` says) and returns the final report. Throws Error for every wrong input
/// before the run folder is touched.
Json train_model(const SentimentJob& job, RunRequest& request);

}  // namespace semblance
