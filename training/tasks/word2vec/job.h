// The options of `train word2vec`: a job file's sections, one struct each.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "data/corpus/phrases.h"
#include "data/text/text_pipeline.h"
#include "data/text/vocabulary.h"
#include "training/job.h"

namespace semblance {

enum class Word2VecKind { SkipGram, Cbow };

template <>
struct EnumNames<Word2VecKind> {
  static constexpr std::array names{std::pair{Word2VecKind::SkipGram, "skipgram"},
                                    std::pair{Word2VecKind::Cbow, "cbow"}};
};

struct CorpusOptions {
  std::vector<std::string> corpus;

  void fields(FieldList& list) {
    list.add(
        "corpus", corpus,
        {.help = "running text to learn from, a sentence a line, gzipped or not, of any size; may be given "
                 "several times",
         .hint = "FILE",
         .input = true,
         .repeated = true});
  }
};

struct WindowOptions {
  int64_t window = 5;
  bool dynamic = true;
  double sample = 1e-3;

  void fields(FieldList& list) {
    list.add("window", window,
             {.help = "words on either side of a word that it is learnt from", .min = 1, .max = 100});
    list.add("dynamic-window", dynamic,
             {.help = "draw each word's window from 1 to --window, so that near words count more"});
    list.add(
        "sample", sample,
        {.help = "words of a larger share of the corpus are left out the more often the larger it is; 0: "
                 "none is",
         .min = 0,
         .max = 1});
  }
};

struct Word2VecOptions {
  Word2VecKind kind = Word2VecKind::SkipGram;
  int64_t dim = 100;
  int64_t negatives = 5;
  double exponent = 0.75;
  bool full_softmax = false;
  bool hogwild = false;

  void fields(FieldList& list) {
    list.add("model", kind,
             {.help = "skipgram: each neighbour by itself predicts a word; cbow: their mean does"});
    list.add("dim", dim, {.help = "dimensions of the vectors", .min = 1, .max = 65536});
    list.add("negatives", negatives,
             {.help = "other words that each word is told from (negative sampling)", .min = 1, .max = 64});
    list.add(
        "negative-exponent", exponent,
        {.help = "those are drawn in proportion to their counts to the power of this", .min = -2, .max = 2});
    list.add("full-softmax", full_softmax,
             {.help = "predict among all words instead, with any --optimizer; for small vocabularies"});
    list.add("hogwild", hogwild,
             {.help = "let threads change the tables at once: faster, but with more than one thread two runs "
                      "differ"});
  }
};

struct Word2VecJob : Job {
  static constexpr const char* kTask = "word2vec";
  static constexpr const char* kInput = "--corpus";  ///< the option without which nothing can be trained

  CorpusOptions data;
  TextOptions text;
  PhraseOptions phrases;
  VocabularyOptions vocabulary;
  WindowOptions window;
  Word2VecOptions model;

  Word2VecJob() {
    vocabulary.min_count = 5;
    training.epochs = 5;
    training.batch_size = 8192;
    choose_defaults();
    training.optimizer = OptimizerKind::Sgd;
    training.schedule = ScheduleKind::Linear;
  }
  bool has_validation() const override { return false; }
  std::string_view task() const override { return kTask; }
  void sections(SectionList& list) override {
    list.add("data", data, "Data");
    list.add("text", text, "Cleaning and tokens");
    list.add("phrases", phrases, "Phrases");
    list.add("vocabulary", vocabulary, "Vocabulary");
    list.add("window", window, "Windows");
    list.add("model", model, "Model");
    list.add("training", training, "Training");
    for (auto& field : list.back().fields)
      if (field.name == "lr") field.field.help = "learning rate; 0.06 for cbow, 0.5 for --full-softmax";
  }
  /// The best rates of some on WS-353, SimLex-999, MEN and analogies.
  void choose_defaults() override {
    training.learning_rate = model.full_softmax ? 0.5 : model.kind == Word2VecKind::SkipGram ? 0.035 : 0.06;
  }
};

struct RunRequest;

/// Trains (or resumes, as `request` says) and returns the final report. Throws Error for every wrong input
/// before the run folder is touched.
Json train_model(const Word2VecJob& job, RunRequest& request);

}  // namespace semblance
