#include "training/measures/vectors.h"

#include "data/tensors.h"

namespace semblance {
namespace {

// Summed over the rows; 0 where either row is zero.
at::Tensor cosine_sum(const at::Tensor& a, const at::Tensor& b) {
  const auto lengths = row_norms(a).mul_(row_norms(b));
  return a.mul(b).sum(1).div_(lengths).masked_fill_(lengths.le(0), 0).sum();
}

}  // namespace

VectorMetrics::VectorMetrics(at::Tensor baseline)
    : baseline_(baseline.to(at::kDouble)), sums_(baseline_.new_zeros({5})) {}

void VectorMetrics::add(const at::Tensor& output, const at::Tensor& target) {
  const auto found = output.to(at::kDouble), wanted = target.to(at::kDouble);
  const auto baseline = baseline_.expand_as(wanted);
  sums_.add_(stack({cosine_sum(found, wanted), found.sub(wanted).square().sum(), wanted.square().sum(),
                    baseline.sub(wanted).square().sum(), cosine_sum(baseline, wanted)}));
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
