// A trained question encoder as it stands in a checkpoint.
#pragma once

#include <memory>
#include <string>

#include "training/checkpoint.h"
#include "training/serving/served_model.h"
#include "training/serving/text_encoder.h"
#include "training/tasks/dssm/job.h"

namespace semblance {

class DssmTask;
struct RankedRows;

class DssmModel : public ServedModel,
                  public Evaluable,
                  public TextEncoder,
                  public WordTableModel,
                  public SentenceTransformersExportable,
                  public Tokenizes {
 public:
  struct Evaluation : Sections {
    RankedRowOptions rows;
    RankingOptions ranking;
    void sections(SectionList& list) override {
      list.add("rows", rows, "Dssm: rows to rank (the run's own unless given)");
      list.add("ranking", ranking, "Dssm: ranking (the run's own unless given)");
    }
  };

  /// Throws Error(Model) if the checkpoint does not fit together.
  DssmModel(const Checkpoint& checkpoint, const std::string& source, c10::Device device);
  ~DssmModel() override;

  std::vector<LayerSummary> layers() const override;
  Json learnt() const override;
  int64_t dim() const override;
  /// A text's vector does not depend on its neighbours.
  EncodedTexts encode(const Texts& texts) override;
  /// The embeddings of the words.
  WordVectors word_vectors() const override;
  const TextPipeline& pipeline() const override;
  Json write_sentence_transformers(const std::string& folder, const Notice& notice) const override;
  Sections& evaluation() override { return evaluation_; }
  /// One file of rows to rank; see evaluate_ranking.
  Json evaluate(std::span<const std::string> paths, const Notice& notice,
                const std::function<void(int64_t)>& progress) override;
  Json evaluate_validation(const Notice& notice) override;
  /// Hits and DCG at more K; `hardest` as HardestRows has it, unless rows have scores.
  Json examine(std::span<const std::string> paths, int64_t most, const Notice& notice) override;

 private:
  RankedRows ranked_rows() const;

  std::string source_;
  DssmJob job_;
  Evaluation evaluation_;
  c10::Device device_;
  std::unique_ptr<DssmTask> task_;
};

}  // namespace semblance
