// Trained models as they stand in checkpoints, by what they can do. A kind of model implements the interfaces
// that fit it; the verbs ask for an interface, never for a kind. None of them is to be used by two threads at
// once unless it says so.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "data/config.h"
#include "data/notice.h"
#include "data/text/text_pipeline.h"
#include "data/vectors/word_vectors.h"
#include "models/networks.h"
#include "training/checkpoint.h"
#include "training/serving/build_model.h"
#include "training/serving/classifier.h"

namespace semblance {

class ServedModel {
 public:
  virtual ~ServedModel() = default;
  /// Of its network.
  virtual std::vector<LayerSummary> layers() const = 0;
  /// Single numbers that it has learnt beside its layers, by name; an object of JSON.
  virtual Json learnt() const { return Json::object(); }
};

/// Can be measured on files: labelled texts, rows to rank, sets of words.
class Evaluable {
 public:
  virtual ~Evaluable() = default;
  /// The options of an evaluation, with the run's own values until somebody changes them.
  virtual Sections& evaluation() = 0;
  /// Throws Error(Data) naming file and line. `progress` is called with the rows done, now and then.
  virtual Json evaluate(std::span<const std::string> paths, const Notice& notice,
                        const std::function<void(int64_t rows)>& progress) = 0;
  /// The same on what the training held out for validation, read again from its files; null where it held out
  /// nothing, or cannot tell what. Throws Error(Data).
  virtual Json evaluate_validation(const Notice& /*notice*/) { return nullptr; }
  /// What `evaluate` says of `paths` or, without any, of what the training held out, and what explains it:
  /// `hardest`, up to `most` examples that the model does worst on, the worst first, as objects. Null where
  /// the training held out nothing. Throws Error(Data).
  virtual Json examine(std::span<const std::string> paths, int64_t /*most*/, const Notice& notice) {
    return paths.empty() ? evaluate_validation(notice) : evaluate(paths, notice, [](int64_t) {});
  }
};

/// Has rows of n-grams that it may do without.
class Prunable {
 public:
  virtual ~Prunable() = default;
  virtual int64_t ngram_rows() const = 0;
  /// `checkpoint`, which this was made from, where those `kept` n-grams that change answers most have a row
  /// of their own, and the others share one.
  virtual Checkpoint pruned(const Checkpoint& checkpoint, int64_t kept) = 0;
};

/// Has a row for each character n-gram that it knows.
class NgramTable {
 public:
  virtual ~NgramTable() = default;
  virtual int64_t dim() const = 0;
  virtual int32_t size() const = 0;
  /// Lengths of n-grams, the marks of a word's ends counted.
  virtual int64_t shortest() const = 0;
  virtual int64_t longest() const = 0;
  /// The n-gram of a row, with < and > for the ends of a word. Throws Error(Usage) where it is not known.
  virtual std::string fasttext_name(int32_t row) const = 0;
  virtual std::span<const float> row(int32_t row) const = 0;
  /// Calls visit(row) for each n-gram of `word` that has one.
  virtual void for_each_of(std::string_view word, const std::function<void(int32_t row)>& visit) const = 0;
};

/// Can be written as a model of fastText.
class FastTextExportable {
 public:
  virtual ~FastTextExportable() = default;
  /// Returns what was written. Throws Error(Usage), with nothing written, for what fastText cannot say.
  virtual Json write_fasttext(const std::string& output, const Notice& notice) const = 0;
};

/// Can be written as a folder for sentence-transformers.
class SentenceTransformersExportable {
 public:
  virtual ~SentenceTransformersExportable() = default;
  /// Returns what was written. Throws Error(Usage) for what cannot be said there.
  virtual Json write_sentence_transformers(const std::string& folder, const Notice& notice) const = 0;
};

/// Cuts texts into tokens.
class Tokenizes {
 public:
  virtual ~Tokenizes() = default;
  virtual const TextPipeline& pipeline() const = 0;
};

struct Coefficient {
  std::string word;
  double value = 0;
};

/// What speaks for a class and what against it, the strongest first.
struct ClassCoefficients {
  std::string label;
  std::vector<Coefficient> largest, smallest;
};

/// Its logits are sums over words.
class LinearInWords {
 public:
  virtual ~LinearInWords() = default;
  /// For each class up to `count` words each way; n-grams, which are hashed, have no name. Of two classes
  /// with one logit the second alone: what speaks for it speaks against the first. Throws Error(Model) where
  /// this model is not linear.
  virtual std::vector<ClassCoefficients> coefficients(int64_t count) const = 0;
};

/// Has a table of words and their vectors.
class WordTableModel {
 public:
  virtual ~WordTableModel() = default;
  /// The more frequent words first.
  virtual WordVectors word_vectors() const = 0;
};

/// Throws Error(Model) unless the tensors of `checkpoint` have numbers enough for a table of `rows` x
/// widths[0] and a layer from each width to the next. Sizes come from a file: what they would take is known
/// before it is taken.
void expect_room(const Checkpoint& checkpoint, int64_t rows, std::span<const int64_t> widths);

}  // namespace semblance
