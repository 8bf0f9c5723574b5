// fastText's own models as semblance's: labels for texts, and vectors for any word (row 9.2).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "data/vectors/fasttext_model.h"
#include "training/serving/classifier.h"
#include "training/serving/word_encoder.h"

namespace semblance {

/// Texts are taken as they are, as fastText does: clean them before as they were for its training.
class FastTextClassifier : public Classifier {
 public:
  /// Throws Error(Model), also for a model of word vectors.
  explicit FastTextClassifier(const std::string& path);

  /// Of --loss ova.
  bool is_multi_label() const override { return model_.loss() == FastTextModel::Loss::OneVsAll; }
  const std::vector<std::string>& classes() const override { return model_.labels(); }
  Expected expected_input() const override;
  std::vector<Prediction> predict(const Texts& texts, const PredictOptions& options) override;
  /// Probabilities [labels] of one text at a temperature; false where it has nothing that the model knows.
  bool probabilities(std::string_view text, double temperature, std::span<float> out) const;
  const FastTextModel& model() const { return model_; }

 private:
  FastTextModel model_;
};

class FastTextWords : public WordEncoder {
 public:
  explicit FastTextWords(std::shared_ptr<const FastTextModel> model) : model_(std::move(model)) {}
  int64_t dim() const override { return model_->dim(); }
  bool encode(std::string_view word, std::span<float> out) const override {
    return model_->word_vector(word, out);
  }

 private:
  std::shared_ptr<const FastTextModel> model_;
};

/// Of a model that has character n-grams; null for any other file. Throws Error(Model).
std::shared_ptr<WordEncoder> open_fasttext_words(const std::string& path);

}  // namespace semblance
