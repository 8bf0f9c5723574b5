#include "training/vector_metrics.h"

#include <ATen/Functions.h>

namespace semblance {
namespace {

// Summed over the rows; 0 where either row is zero.
at::Tensor cosine_sum(const at::Tensor& a, const at::Tensor& b) {
  const auto lengths = at::norm(a, 2, {1}) * at::norm(b, 2, {1});
  return at::where(lengths > 0, (a * b).sum(1) / lengths, at::zeros_like(lengths)).sum();
}

}  // namespace

VectorMetrics::VectorMetrics(at::Tensor baseline)
    : baseline_(baseline.to(at::kDouble)), sums_(at::zeros({5}, baseline_.options())) {}

void VectorMetrics::add(const at::Tensor& output, const at::Tensor& target) {
  const auto found = output.to(at::kDouble), wanted = target.to(at::kDouble);
  const auto baseline = baseline_.expand_as(wanted);
  sums_.add_(at::stack({cosine_sum(found, wanted), (found - wanted).square().sum(), wanted.square().sum(),
                        (baseline - wanted).square().sum(), cosine_sum(baseline, wanted)}));
  examples_ += target.size(0);
  numbers_ += target.numel();
}

Metrics VectorMetrics::result() const {
  const auto sums = sums_.cpu();
  const auto* sum = sums.const_data_ptr<double>();
  const auto words = static_cast<double>(examples_), numbers = static_cast<double>(numbers_);
  Metrics metrics;
  metrics.values = {{"cosine", sum[0] / words},     {"mse", sum[1] / numbers},
                    {"loss", sum[1] / numbers},     {"zero_mse", sum[2] / numbers},
                    {"mean_mse", sum[3] / numbers}, {"mean_cosine", sum[4] / words}};
  metrics.details = {{"examples", examples_}};
  return metrics;
}

}  // namespace semblance
