// Trained word vectors as they stand in a checkpoint.
#pragma once

#include <string>

#include "data/vectors/word_vectors.h"
#include "training/checkpoint.h"
#include "training/measures/word_set_options.h"
#include "training/serving/served_model.h"
#include "training/tasks/word2vec/job.h"

namespace semblance {

class Word2VecModel : public ServedModel, public Evaluable, public WordTableModel {
 public:
  struct Evaluation : Sections {
    WordSetOptions words;
    void sections(SectionList& list) override { list.add("words", words, "Word2vec: words"); }
  };

  /// Throws Error(Model) if the checkpoint does not fit together. Nothing is computed on `device`.
  Word2VecModel(const Checkpoint& checkpoint, const std::string& source, c10::Device device);

  std::vector<LayerSummary> layers() const override { return layers_; }
  WordVectors word_vectors() const override { return vectors_; }
  Sections& evaluation() override { return evaluation_; }
  /// One set of words; see evaluate_word_set.
  Json evaluate(std::span<const std::string> paths, const Notice& notice,
                const std::function<void(int64_t)>& progress) override;

 private:
  Word2VecJob job_;
  Evaluation evaluation_;
  std::vector<LayerSummary> layers_;
  WordVectors vectors_;
};

}  // namespace semblance
