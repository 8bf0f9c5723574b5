#include "training/tasks/sentiment/loss.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "data/error.h"

namespace semblance {

ClassificationLoss choose_loss(LossChoice choice, const LabelSet& labels) {
  const bool sets = labels.multi_label;
  const size_t classes = labels.classes.size();
  const auto refuse = [&](std::string_view expected) {
    throw Error(ErrorKind::Usage, "--loss: expected {} for {}, found {}", expected,
                sets ? "multi-label texts" : fmt::format("{} classes", classes), enum_name(choice));
  };
  switch (choice) {
    case LossChoice::Auto:
      return sets || classes == 2 ? ClassificationLoss::BceLogits : ClassificationLoss::CrossEntropy;
    case LossChoice::Bce:
    case LossChoice::BceLogits:
      if (!sets && classes != 2) refuse("cross-entropy or nll");
      return choice == LossChoice::Bce ? ClassificationLoss::Bce : ClassificationLoss::BceLogits;
    case LossChoice::CrossEntropy:
    case LossChoice::Nll:
    case LossChoice::Sampled:
      if (sets) refuse("bce or bce-logits");
      return choice == LossChoice::Sampled ? ClassificationLoss::Sampled
             : choice == LossChoice::Nll   ? ClassificationLoss::Nll
                                           : ClassificationLoss::CrossEntropy;
  }
  throw Error(ErrorKind::Internal, "unknown loss");
}

// --class-weights: balanced is n / (classes · count), as scikit-learn has it.
std::vector<double> choose_class_weights(const std::string& choice, const std::vector<int64_t>& counts,
                                         bool multi_label) {
  if (choice == "none") return {};
  if (multi_label)
    throw Error(ErrorKind::Usage, "--class-weights: expected none for multi-label texts, found {}", choice);
  std::vector<double> weights;
  if (choice == "balanced" || choice == "sqrt-balanced") {
    const auto total = static_cast<double>(std::accumulate(counts.begin(), counts.end(), int64_t{0}));
    for (const int64_t count : counts) {
      const double weight =
          total / (static_cast<double>(counts.size()) * static_cast<double>(std::max<int64_t>(1, count)));
      weights.push_back(choice == "balanced" ? weight : std::sqrt(weight));
    }
    return weights;
  }
  for (const auto& part : split_list(choice))
    weights.push_back(parse_real(part, "class-weights", Field{.help = "", .min = 0}));
  if (weights.size() != counts.size() || std::accumulate(weights.begin(), weights.end(), 0.0) <= 0)
    throw Error(ErrorKind::Usage,
                "--class-weights: expected none, balanced, sqrt-balanced or {} weights, found '{}'",
                counts.size(), choice);
  return weights;
}

}  // namespace semblance
