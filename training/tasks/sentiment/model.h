// A trained classifier as it stands in a checkpoint.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "training/checkpoint.h"
#include "training/measures/scores.h"
#include "training/serving/served_model.h"
#include "training/tasks/sentiment/job.h"

namespace semblance {

class SentimentTask;
struct MeasuredTexts;

struct CalibrationOptions {
  double temperature = 1;
  bool fit_temperature = false;

  void fields(FieldList& list) {
    list.add("temperature", temperature, kTemperatureField);
    list.add("fit-temperature", fit_temperature,
             {.help = "find the temperature of the least loss on these texts, and measure with it"});
  }
};

class SentimentModel : public ServedModel,
                       public Evaluable,
                       public Classifier,
                       public WordTableModel,
                       public LinearInWords,
                       public Prunable,
                       public FastTextExportable,
                       public Tokenizes {
 public:
  struct Evaluation : Sections {
    ScoreOptions scores;
    CalibrationOptions calibration;
    InputOptions input;
    void sections(SectionList& list) override {
      list.add("scores", scores, "Sentiment: measures");
      list.add("calibration", calibration, "Sentiment: measures");
      list.add("input", input, "Sentiment: layout of the files (the run's own unless given)");
    }
  };

  /// Throws Error(Model) if the checkpoint does not fit together.
  SentimentModel(const Checkpoint& checkpoint, const std::string& source, c10::Device device);
  ~SentimentModel() override;

  std::vector<LayerSummary> layers() const override;
  bool is_multi_label() const override;
  Expected expected_input() const override;
  const std::vector<std::string>& classes() const override;
  std::vector<Prediction> predict(const Texts& texts, const PredictOptions& options) override;
  /// The embeddings of the words.
  WordVectors word_vectors() const override;
  /// Of --model linear and mean.
  std::vector<ClassCoefficients> coefficients(int64_t count) const override;
  Sections& evaluation() override { return evaluation_; }
  /// Labelled texts; what ClassificationMetrics and ScoreMetrics report, and `skipped`. With another
  /// temperature than 1 that `temperature`; with a fitted one also `loss_before` and `ece_before`, which are
  /// without it.
  Json evaluate(std::span<const std::string> paths, const Notice& notice,
                const std::function<void(int64_t)>& progress) override;
  Json evaluate_validation(const Notice& notice) override;
  /// `hardest`: the wrong answers that the model is surest of: text, actual and predicted (labels), about
  /// (the label that is wrongly given or missing) and probability (of that label).
  Json examine(std::span<const std::string> paths, int64_t most, const Notice& notice) override;
  int64_t ngram_rows() const override;
  Checkpoint pruned(const Checkpoint& checkpoint, int64_t kept) override;
  /// Of --model mean whose n-grams are hashed as fastText's and each have a row.
  Json write_fasttext(const std::string& output, const Notice& notice) const override;
  const TextPipeline& pipeline() const override;

 private:
  Json measure(const MeasuredTexts& texts, const Notice& notice);
  Json surest_mistakes(const MeasuredTexts& texts, double temperature, int64_t most);

  std::string source_;
  SentimentJob job_;
  Evaluation evaluation_;
  c10::Device device_;
  std::unique_ptr<SentimentTask> task_;
  std::vector<float> ngram_counts_;  // once they are asked for
};

}  // namespace semblance
