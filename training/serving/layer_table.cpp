#include "training/serving/layer_table.h"

#include <fmt/format.h>

namespace semblance {

std::vector<std::string> layer_lines(const std::vector<LayerSummary>& layers) {
  std::vector<std::string> lines;
  const auto add = [&](std::string_view layer, std::string_view output, const auto& parameters,
                       std::string_view trainable) {
    auto line = fmt::format("{:<20} {:<20} {:>12}  {}", layer, output, parameters, trainable);
    line.erase(line.find_last_not_of(' ') + 1);
    lines.push_back(std::move(line));
  };
  add("layer", "output", "parameters", "trainable");
  int64_t total = 0, trained = 0;
  for (const auto& row : layers) {
    add(row.layer, row.output_shape, row.parameters, row.trainable ? "yes" : row.parameters > 0 ? "no" : "");
    total += row.parameters;
    trained += row.trainable ? row.parameters : 0;
  }
  add("total", "", total, "");
  if (trained < total) add("trainable", "", trained, "");
  return lines;
}

Json layers_json(const std::vector<LayerSummary>& layers) {
  Json list = Json::array();
  for (const auto& row : layers)
    list.push_back({{"layer", row.layer},
                    {"output_shape", row.output_shape},
                    {"parameters", row.parameters},
                    {"trainable", row.trainable}});
  return list;
}

}  // namespace semblance
