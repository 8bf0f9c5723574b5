// What an evaluation found: named numbers, and a fuller report for people and for JSON.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "data/config.h"

namespace semblance {

/// A metric a task can be steered by; its direction is declared, never guessed from its name.
struct MetricInfo {
  std::string_view name;
  bool higher_is_better;
};

/// The metric of that name. Throws Error(Usage) that lists the choices.
const MetricInfo& find_metric(std::span<const MetricInfo> choices, std::string_view name);

/// A report's numbers by name, in its order: those of an object within it as "hits@10", also of
/// "precision_at_k" as "precision@10". Null where one is not defined.
std::vector<std::pair<std::string, Json>> named_numbers(const Json& report);
/// One of them, or null.
Json named_number(const Json& report, std::string_view name);

/// Of as many classes each epoch keeps a number; more would outgrow the model.
inline constexpr size_t kMostRecorded = 50;

struct Metrics {
  Json values = Json::object();   ///< name → number (null where it is not defined), or an object of such
  Json details = Json::object();  ///< per-class tables, the confusion matrix

  /// Both in one object, as `--json` prints them.
  Json report() const;
  /// What is kept of each epoch: without the details of more than kMostRecorded classes.
  Json record() const;
  double value(std::string_view name) const;
};

}  // namespace semblance
