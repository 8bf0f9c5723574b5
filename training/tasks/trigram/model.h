// A trained trigram model as it stands in a checkpoint.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "training/checkpoint.h"
#include "training/measures/word_set_options.h"
#include "training/serving/served_model.h"
#include "training/serving/word_encoder.h"
#include "training/tasks/trigram/job.h"

namespace semblance {

class TrigramTask;
class VectorDataset;

class TrigramModel : public ServedModel, public Evaluable, public WordEncoder, public NgramTable {
 public:
  struct Evaluation : Sections {
    WordSetOptions words;
    void sections(SectionList& list) override { list.add("words", words, "Trigram: words"); }
  };

  /// Throws Error(Model) if the checkpoint does not fit together. Words are looked up on the CPU; `device` is
  /// where held-out words are measured.
  TrigramModel(const Checkpoint& checkpoint, const std::string& source, c10::Device device);
  ~TrigramModel() override;

  std::vector<LayerSummary> layers() const override;
  int64_t dim() const override;
  bool encode(std::string_view word, std::span<float> out) const override;
  int32_t size() const override;
  int64_t shortest() const override;
  int64_t longest() const override;
  std::string fasttext_name(int32_t row) const override;
  std::span<const float> row(int32_t row) const override;
  void for_each_of(std::string_view word, const std::function<void(int32_t)>& visit) const override;
  Sections& evaluation() override { return evaluation_; }
  /// One set of words; see evaluate_word_set. `held_out` in the report: the words that training held out, if
  /// the file that it read is still there.
  Json evaluate(std::span<const std::string> paths, const Notice& notice,
                const std::function<void(int64_t)>& progress) override;
  /// Without `paths` the words held out; `hardest`, of these: word and cosine, of its vector and the one that
  /// it is given.
  Json examine(std::span<const std::string> paths, int64_t most, const Notice& notice) override;

 private:
  // Null where training held no words out. With `most`, `hardest` too. Throws Error(Data) if the file is gone
  // or is another.
  Json evaluate_held_out(int64_t most = 0) const;
  Json farthest_words(const VectorDataset& words, const Texts& names, int64_t most) const;

  TrigramJob job_;
  Evaluation evaluation_;
  c10::Device device_;
  std::unique_ptr<TrigramTask> task_;
};

}  // namespace semblance
