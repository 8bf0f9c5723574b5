#include "training/measures/curves.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>

#include "data/text/markup.h"

namespace semblance {
namespace {

constexpr double kWidth = 460, kHeight = 320, kLeft = 64, kRight = 20, kTop = 44, kBottom = 52;
constexpr std::string_view kColours[] = {"#1b6ca8", "#d1495b", "#3c8d5a", "#8a5fb0"};

struct Axis {
  double low, high, step;
  double place(double value) const { return high > low ? (value - low) / (high - low) : 0.5; }
};

// Ticks at 1, 2 or 5 times a power of ten, a few of them; no ticks where there is nothing to span.
Axis make_axis(double low, double high, bool whole) {
  if (!(high > low)) {
    const double margin = whole ? 1 : std::max(std::abs(low) * 0.05, 1e-3);
    low -= margin;
    high += margin;
  }
  const double rough = (high - low) / 5;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  double step = power * 10;
  for (const double factor : {5.0, 2.0, 1.0})
    if (factor * power >= rough) step = factor * power;
  if (whole) step = std::max(1.0, std::round(step));
  return {whole ? low : std::floor(low / step + 1e-9) * step,
          whole ? high : std::ceil(high / step - 1e-9) * step, step};
}

// Calls draw(value) for each tick from `first` on. They are counted: beside large numbers a step may be lost.
template <class Draw>
void for_each_tick(const Axis& axis, double first, Draw&& draw) {
  const double last = (axis.high - first) / axis.step + 1e-9;
  for (int tick = 0; tick <= last; ++tick) draw(first + tick * axis.step);
}

// Without what is not finite, which has no place.
Panel drawable(Panel panel) {
  for (auto& curve : panel.curves)
    std::erase_if(curve.points, [](const auto& point) {
      return !std::isfinite(point.first) || !std::isfinite(point.second);
    });
  return panel;
}

std::string draw_panel(const Panel& panel, const std::string& x_title, double left) {
  double x_low = 1e300, x_high = -1e300, y_low = 1e300, y_high = -1e300;
  for (const auto& curve : panel.curves)
    for (const auto& [x, y] : curve.points) {
      x_low = std::min(x_low, x), x_high = std::max(x_high, x);
      y_low = std::min(y_low, y), y_high = std::max(y_high, y);
    }
  const Axis x_axis = make_axis(x_low, x_high, true), y_axis = make_axis(y_low, y_high, false);
  const double width = kWidth - kLeft - kRight, height = kHeight - kTop - kBottom;
  const auto px = [&](double x) { return left + kLeft + x_axis.place(x) * width; };
  const auto py = [&](double y) { return kTop + (1 - y_axis.place(y)) * height; };
  std::string svg = fmt::format("<text x=\"{:.1f}\" y=\"20\" class=\"title\">{}</text>\n", left + kLeft,
                                escape_markup(panel.title));
  for_each_tick(y_axis, y_axis.low, [&](double y) {
    svg += fmt::format(
        "<line x1=\"{:.1f}\" x2=\"{:.1f}\" y1=\"{:.1f}\" y2=\"{:.1f}\" class=\"grid\"/><text x=\"{:.1f}\" "
        "y=\"{:.1f}\" "
        "text-anchor=\"end\">{:.4g}</text>\n",
        left + kLeft, left + kWidth - kRight, py(y), py(y), left + kLeft - 8, py(y) + 4,
        std::abs(y) < y_axis.step * 1e-6 ? 0.0 : y);
  });
  for_each_tick(x_axis, std::ceil(x_axis.low / x_axis.step) * x_axis.step, [&](double x) {
    svg += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{:.4g}</text>\n", px(x),
                       kHeight - kBottom + 20, x);
  });
  svg += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{}</text>\n",
                     left + kLeft + width / 2, kHeight - 12, escape_markup(x_title));
  double legend = left + kLeft + 90;
  for (size_t i = 0; i < panel.curves.size(); ++i) {
    const auto colour = kColours[i % std::size(kColours)];
    std::string points;
    for (const auto& [x, y] : panel.curves[i].points) points += fmt::format("{:.1f},{:.1f} ", px(x), py(y));
    svg += fmt::format("<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"2\"/>\n", points,
                       colour);
    for (const auto& [x, y] : panel.curves[i].points)
      svg += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"2.5\" fill=\"{}\"/>", px(x), py(y), colour);
    svg += fmt::format(
        "<rect x=\"{:.1f}\" y=\"12\" width=\"14\" height=\"4\" fill=\"{}\"/><text x=\"{:.1f}\" "
        "y=\"19\">{}</text>\n",
        legend, colour, legend + 20, escape_markup(panel.curves[i].name));
    legend += 110;
  }
  return svg;
}

}  // namespace

std::string draw_curves(const std::vector<Panel>& panels, const std::string& x_title) {
  const double width = kWidth * static_cast<double>(panels.size());
  std::string svg = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\">\n"
      "<style>text{{font:12px "
      "sans-serif;fill:#333}}.title{{font-size:15px;font-weight:bold}}.grid{{stroke:#ddd}}</style>\n"
      "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n",
      width, kHeight);
  for (size_t i = 0; i < panels.size(); ++i)
    svg += draw_panel(drawable(panels[i]), x_title, kWidth * static_cast<double>(i));
  return svg + "</svg>\n";
}

}  // namespace semblance
