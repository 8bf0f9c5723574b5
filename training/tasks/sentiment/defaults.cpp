// What `train sentiment` does where nothing is said. Chosen once, by cross-validation on the training parts
// of seven sets: docs/defaults.md has the figures.
#include "training/tasks/sentiment/job.h"

namespace semblance {

void SentimentJob::choose_defaults() {
  if (model.kind == ClassifierKind::Mean && !model.hidden.empty()) model.kind = ClassifierKind::Mlp;
  const bool mean = model.kind == ClassifierKind::Mean, linear = model.kind == ClassifierKind::Linear;
  if (model.kind == ClassifierKind::Mlp && model.hidden.empty()) model.hidden = {10};
  text.tokenizer = mean ? Tokenizer::WordPunct : Tokenizer::Words;
  text.strip_punctuation = !mean;
  model.dropout = mean ? 0 : 0.5;
  model.embedding_std = mean ? 0.01 : 0.1;
  training.optimizer = mean                                ? OptimizerKind::RowwiseAdagrad
                       : linear                            ? OptimizerKind::Adagrad
                       : model.loss == LossChoice::Sampled ? OptimizerKind::LazyAdam
                                                           : OptimizerKind::Adam;
  training.learning_rate = mean ? 0.1 : linear ? 1 : 0.005;
  training.schedule = mean || linear ? ScheduleKind::Linear : ScheduleKind::Constant;
  training.epochs = mean ? 5 : 10;
  training.batch_size = linear ? 256 : 64;
  ngrams.min_count = mean ? 2 : 1;
  // Padding cannot be told from n-grams, and frozen vectors have none.
  const bool words_alone = !mean || model.pooling == ClassifierPooling::PaddedMean || !start.vectors.empty();
  ngrams.longest = words_alone ? 1 : 2;
  ngrams.longest_chars = words_alone ? 0 : 5;
}

void SentimentJob::choose_defaults(const TextFacts& facts) {
  constexpr int64_t kManyClasses = 20;
  constexpr double kLong = 64;
  choose_defaults();
  if (model.kind != ClassifierKind::Mean) return;
  // A class of few texts, among many, needs weights that move far.
  if (facts.multi_label || facts.classes > kManyClasses) {
    training.learning_rate = 0.5;
    if (model.dim == 0 && start.vectors.empty()) model.dim = 64;
  }
  if (facts.texts > kManyTexts) {
    training.learning_rate *= 0.2;
    training.epochs = 3;
  }
  if (ngrams.longest_chars == 0) return;
  if (facts.mean_length >= kLong)
    ngrams.longest_chars = 0;  // the words say enough, and parts take ten times as long
  if (facts.unspaced) {
    ngrams.shortest_chars = 1;
    ngrams.longest_chars = 3;
  }
}

}  // namespace semblance
