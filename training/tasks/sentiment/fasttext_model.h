// fastText's classifiers, measured as semblance's own.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "training/measures/scores.h"
#include "training/serving/fasttext.h"
#include "training/serving/served_model.h"
#include "training/tasks/sentiment/job.h"

namespace semblance {

class FastTextServed : public ServedModel, public Evaluable, public FastTextClassifier {
 public:
  struct Evaluation : Sections {
    ScoreOptions scores;
    InputOptions input;
    void sections(SectionList& list) override {
      list.add("scores", scores, "Sentiment: measures");
      list.add("input", input, "Sentiment: layout of the files (the run's own unless given)");
    }
  };

  using FastTextClassifier::FastTextClassifier;
  std::vector<LayerSummary> layers() const override;
  Sections& evaluation() override { return evaluation_; }
  /// What ClassificationMetrics and ScoreMetrics report, `skipped`, and for each K what `fasttext test` says:
  /// P@K, and R@K, which is of all texts' labels together. Texts may have any number of labels where the
  /// model is one-vs-all or the files say so.
  Json evaluate(std::span<const std::string> paths, const Notice& notice,
                const std::function<void(int64_t)>& progress) override;

 private:
  Evaluation evaluation_;
};

}  // namespace semblance
