// Line charts as SVG.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace semblance {

struct Curve {
  std::string name;
  std::vector<std::pair<double, double>> points;
};

struct Panel {
  std::string title;
  std::vector<Curve> curves;
};

/// The panels side by side; `x_title` names their common axis. Points that are not finite are left out.
std::string draw_curves(const std::vector<Panel>& panels, const std::string& x_title);

}  // namespace semblance
