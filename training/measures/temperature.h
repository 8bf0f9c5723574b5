// Temperature calibration (Guo et al. 2017, "On calibration of modern neural networks"): logits divided by
// one number, so that probabilities are right as often as they say. No label changes.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>

namespace semblance {

/// First and second derivative of a loss, summed over examples, by the inverse of the temperature, in which
/// it is convex.
struct LossSlope {
  double first = 0, second = 0;
  LossSlope& operator+=(const LossSlope& other) {
    first += other.first, second += other.second;
    return *this;
  }
};

/// Of the loss of inverse · logits. logits, targets, class_weights: as classification_loss takes them;
/// binary: whether its loss is_binary. Computed in float64.
LossSlope loss_slope(const at::Tensor& logits, const at::Tensor& targets, bool binary,
                     const at::Tensor& class_weights, double inverse);

/// The temperature of the least loss between the bounds of --temperature, by Newton's method; `slope` of a
/// whole set at an inverse temperature is asked for some ten times.
double fit_temperature(const std::function<LossSlope(double inverse)>& slope);

}  // namespace semblance
