#include "training/metrics.h"

#include <algorithm>
#include <limits>

namespace semblance {

const MetricInfo& find_metric(std::span<const MetricInfo> choices, std::string_view name) {
  const auto found = std::ranges::find(choices, name, &MetricInfo::name);
  if (found != choices.end()) return *found;
  std::string names;
  for (const auto& choice : choices) (names += names.empty() ? "" : ", ") += choice.name;
  throw Error(ErrorKind::Usage, "--metric: expected one of {}, found '{}'", names, name);
}

Json Metrics::report() const {
  Json all = values;
  all.update(details);
  return all;
}

double Metrics::value(std::string_view name) const {
  const auto found = values.find(std::string(name));
  return found == values.end() || !found->is_number() ? std::numeric_limits<double>::quiet_NaN()
                                                      : found->get<double>();
}

}  // namespace semblance
