#include "training/measures/temperature.h"

#include <ATen/Functions.h>
#include <ATen/TensorOperators.h>

#include <cmath>

#include "training/serving/temperature_field.h"

namespace semblance {

LossSlope loss_slope(const at::Tensor& logits, const at::Tensor& targets, bool binary,
                     const at::Tensor& class_weights, double inverse) {
  const auto z = logits.to(at::kDouble);
  at::Tensor first, second;  // of each text
  if (binary) {
    const auto goal = targets.dim() == 2 ? targets.to(at::kDouble) : targets.to(at::kDouble).unsqueeze(1);
    const auto p = at::sigmoid(z * inverse);
    first = (z * (p - goal)).sum(1);
    second = (z * z * p * (1 - p)).sum(1);
  } else {
    const auto p = at::softmax(z * inverse, 1);
    const auto mean = (p * z).sum(1);
    first = mean - z.gather(1, targets.unsqueeze(1)).squeeze(1);
    second = (p * (z - mean.unsqueeze(1)).square()).sum(1);
  }
  if (class_weights.defined()) {
    const auto weights = class_weights.index_select(0, targets).to(at::kDouble);
    first = first * weights, second = second * weights;
  }
  return {first.sum().item<double>(), second.sum().item<double>()};
}

double fit_temperature(const std::function<LossSlope(double inverse)>& slope) {
  constexpr int kMostSteps = 60;
  constexpr double kNear = 1e-10;
  double low = 1 / kMostTemperature, high = 1 / kLeastTemperature, inverse = 1;
  for (int step = 0; step < kMostSteps; ++step) {
    const auto [first, second] = slope(inverse);
    (first > 0 ? high : low) = inverse;
    double next = inverse - first / second;
    if (!(next > low && next < high)) next = std::sqrt(low * high);  // also where the loss is flat
    const double moved = std::abs(next - inverse);
    inverse = next;
    if (moved < kNear * inverse) break;
  }
  return 1 / inverse;
}

}  // namespace semblance
