#include "training/measures/curves.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace semblance {
namespace {

// The names of the elements in their order. Fails where an element is not closed, or text is not escaped.
std::vector<std::string> elements(const std::string& svg) {
  std::vector<std::string> names, open;
  size_t at = 0;
  for (size_t tag = svg.find('<'); tag != std::string::npos; tag = svg.find('<', at)) {
    EXPECT_EQ(svg.substr(at, tag - at).find('>'), std::string::npos) << svg.substr(at, tag - at);
    at = svg.find('>', tag) + 1;
    const auto inner = svg.substr(tag + 1, at - tag - 2);
    EXPECT_EQ(std::ranges::count(inner, '"') % 2, 0) << inner;
    if (inner[0] == '/') {
      EXPECT_FALSE(open.empty());
      if (open.empty()) return names;
      EXPECT_EQ(open.back(), inner.substr(1));
      open.pop_back();
      continue;
    }
    names.push_back(inner.substr(0, inner.find_first_of(" /")));
    if (inner.back() != '/') open.push_back(names.back());
  }
  EXPECT_TRUE(open.empty());
  EXPECT_EQ(svg.substr(at), "\n");
  for (size_t i = svg.find('&'); i != std::string::npos; i = svg.find('&', i + 1))
    EXPECT_TRUE(svg.substr(i, 5) == "&amp;" || svg.substr(i, 4) == "&lt;" || svg.substr(i, 4) == "&gt;");
  EXPECT_EQ(svg.find("nan"), std::string::npos) << svg;
  EXPECT_EQ(svg.find("inf"), std::string::npos) << svg;
  return names;
}

int64_t count(const std::string& svg, const std::string& element) {
  return std::ranges::count(elements(svg), element);
}

TEST(Curves, HaveAMarkForEachPointAndALineForEachCurve) {
  const auto svg = draw_curves(
      {{"loss", {{"training", {{1, 0.9}, {2, 0.5}, {3, 0.4}}}, {"validation", {{1, 1}, {2, 0.8}}}}},
       {"accuracy", {{"validation", {{1, 0.5}, {2, 0.75}}}}}},
      "epoch");
  EXPECT_EQ(elements(svg)[0], "svg");
  EXPECT_EQ(count(svg, "circle"), 3 + 2 + 2);
  EXPECT_EQ(count(svg, "polyline"), 3);
  for (const char* text : {">loss<", ">accuracy<", ">training<", ">validation<", ">epoch<"})
    EXPECT_NE(svg.find(text), std::string::npos) << text;
}

TEST(Curves, NamesAreEscaped) {
  const auto svg = draw_curves({{"a < b", {{"R&D", {{1, 2}}}}}}, "x > y");
  elements(svg);
  for (const char* text : {">a &lt; b<", ">R&amp;D<", ">x &gt; y<"})
    EXPECT_NE(svg.find(text), std::string::npos) << text;
}

TEST(Curves, MayBeEmptyOrOfOnePoint) {
  EXPECT_EQ(elements(draw_curves({}, "epoch")), (std::vector<std::string>{"svg", "style", "rect"}));
  EXPECT_EQ(count(draw_curves({{"loss", {}}}, "epoch"), "circle"), 0);
  EXPECT_EQ(count(draw_curves({{"loss", {{"training", {}}}}}, "epoch"), "circle"), 0);
  for (const double y : {0.0, 0.5, -3e9})
    EXPECT_EQ(count(draw_curves({{"loss", {{"training", {{1, y}}}}}}, "epoch"), "circle"), 1) << y;
}

TEST(Curves, LeaveOutWhatIsNotFinite) {
  const double nan = std::nan(""), infinity = HUGE_VAL;
  const auto drawn = [](std::vector<std::pair<double, double>> points) {
    return count(draw_curves({{"loss", {{"training", std::move(points)}}}}, "epoch"), "circle");
  };
  EXPECT_EQ(drawn({{1, 0.5}, {2, nan}, {3, 0.25}}), 2);
  EXPECT_EQ(drawn({{1, nan}, {2, 0.5}}), 1);
  EXPECT_EQ(drawn({{1, infinity}, {2, -infinity}, {3, 1}}), 1);
  EXPECT_EQ(drawn({{1, nan}}), 0);
}

TEST(Curves, LargeNumbersThatHardlyDifferHaveAnEnd) {
  const auto svg = draw_curves({{"loss", {{"training", {{1, 1e17}, {2, 1e17 + 32}}}}}}, "epoch");
  EXPECT_EQ(count(svg, "circle"), 2);
  EXPECT_LT(count(svg, "line"), 20);
}

}  // namespace
}  // namespace semblance
