// Labels for texts: what `predict` asks of a model. Without LibTorch, which takes a quarter of a second to
// load.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "data/fields.h"
#include "data/ragged.h"
#include "data/readers/recognise.h"
#include "training/serving/temperature_field.h"

namespace semblance {

/// Which labels an answer names.
struct PredictOptions {
  double temperature = 1;
  int64_t top_k = 0;
  double threshold = 0;
  bool all_probabilities = false;

  void fields(FieldList& list) {
    list.add("top-k", top_k,
             {.help = "name the N most probable labels; 0: the best, or in a multi-label model those of at "
                      "least .5",
              .min = 0,
              .max = 1e6});
    list.add("threshold", threshold,
             {.help = "name the labels of at least that probability, and no other; 0: as --top-k says",
              .min = 0,
              .max = 1});
    list.add("temperature", temperature, kTemperatureField);
    list.add("all-probabilities", all_probabilities, {.help = "add the probability of every label"});
  }
};

struct Prediction {
  std::vector<std::string> labels;    ///< the most probable first where --top-k or --threshold chose them
  std::vector<double> probabilities;  ///< of these labels
  std::vector<double> all;            ///< of all classes, if asked for
  bool known = true;                  ///< false if the model knows no word of the text
};

/// Labels texts.
class Classifier {
 public:
  virtual ~Classifier() = default;
  /// Whether a text may have any number of labels.
  virtual bool is_multi_label() const = 0;
  virtual const std::vector<std::string>& classes() const = 0;
  /// How the files trained on were laid out, where that is known, and their labels.
  virtual Expected expected_input() const = 0;
  /// A prediction for each text, well-formed UTF-8; it does not depend on a text's neighbours.
  virtual std::vector<Prediction> predict(const Texts& texts, const PredictOptions& options) = 0;
};

/// The answer of one text of known or unknown words. `scores` and `probabilities` are of each class; what is
/// the larger of two is told by the scores, whose rounding no temperature changes.
Prediction make_prediction(std::span<const float> scores, std::span<const float> probabilities,
                           std::span<const std::string> classes, bool multi_label, bool known,
                           const PredictOptions& options);

}  // namespace semblance
