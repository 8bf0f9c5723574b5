// word2vec as the trainer sees it: two tasks for its two ways of training.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "data/corpus/token_batches.h"
#include "models/losses.h"
#include "models/word2vec.h"
#include "training/metrics.h"
#include "training/tasks/word2vec/job.h"
#include "training/tasks/word2vec/negative_sampling.h"
#include "training/tasks/word2vec/windows.h"

namespace semblance {

/// What the vectors are of.
struct Word2VecSetup {
  static constexpr const char* kVocabularyFile = "vocabulary.txt";

  Vocabulary vocabulary;
  int64_t tokens = 0;                 ///< words of the corpus
  std::string data_fingerprint = {};  ///< of the corpus

  std::vector<int64_t> counts() const;
};

/// What both ways of training have in common.
class Word2VecTask {
 public:
  using Batch = TokenBatch;

  /// With fresh weights, drawn from LibTorch's generator, on `device`.
  Word2VecTask(const Word2VecJob& job, Word2VecSetup setup, c10::Device device);

  torch::nn::Module& module() { return network_->module(); }
  Word2VecNetwork& network() { return *network_; }
  const Word2VecSetup& setup() const { return setup_; }
  std::span<const MetricInfo> metrics() const;
  Json model_info() const;
  std::map<std::string, std::string> files() const;

 private:
  Word2VecSetup setup_;
  std::shared_ptr<Word2VecNetwork> network_;
};

class NegativeSamplingTask : public Word2VecTask {
 public:
  /// On the CPU.
  NegativeSamplingTask(const Word2VecJob& job, Word2VecSetup setup);
  LossSum update(const TokenBatch& batch, double learning_rate);

 private:
  NegativeSampling sampling_;
};

/// Predicts among all words: skip-gram each word's neighbours from it, CBOW each word from its neighbours.
class FullSoftmaxTask : public Word2VecTask {
 public:
  FullSoftmaxTask(const Word2VecJob& job, Word2VecSetup setup, c10::Device device);
  LossSum loss(const TokenBatch& batch);

 private:
  Word2VecKind kind_;
  Windows windows_;
  c10::Device device_;
};

}  // namespace semblance
