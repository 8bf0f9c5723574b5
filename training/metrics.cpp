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

std::vector<std::pair<std::string, Json>> named_numbers(const Json& report) {
  std::vector<std::pair<std::string, Json>> numbers;
  const auto is_number = [](const Json& value) { return value.is_number() || value.is_null(); };
  for (const auto& [name, value] : report.items()) {
    if (is_number(value)) numbers.emplace_back(name, value);
    if (!value.is_object()) continue;
    for (const auto& [key, part] : value.items())
      if (is_number(part)) numbers.emplace_back(name.substr(0, name.rfind("_at_k")) + "@" + key, part);
  }
  return numbers;
}

Json named_number(const Json& report, std::string_view name) {
  for (auto& [own, value] : named_numbers(report))
    if (own == name) return value;
  return nullptr;
}

Json Metrics::record() const {
  Json json = values;
  for (const auto& [name, value] : details.items())
    if (value.size() <= kMostRecorded) json[name] = value;
  return json;
}

Json Metrics::report() const {
  Json all = values;
  all.update(details);
  return all;
}

double Metrics::value(std::string_view name) const {
  const auto found = named_number(values, name);
  return found.is_number() ? found.get<double>() : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace semblance
