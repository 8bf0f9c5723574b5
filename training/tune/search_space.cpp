#include "training/tune/search_space.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace semblance {
namespace {

std::vector<std::string> split_choices(std::string_view text) {
  std::vector<std::string> choices;
  for (size_t bar; (bar = text.find('|')) != std::string_view::npos; text.remove_prefix(bar + 1))
    choices.emplace_back(text.substr(0, bar));
  choices.emplace_back(text);
  return choices;
}

// The number that a field holds; none for other types.
double number_of(const FieldRef& field) {
  if (const auto* whole = std::get_if<int64_t*>(&field.value)) return static_cast<double>(**whole);
  if (const auto* real = std::get_if<double*>(&field.value)) return **real;
  return 0;
}

double normal(RandomStream& random) {  // Box and Muller 1958
  const double radius = std::sqrt(-2 * std::log(1 - random.uniform()));
  return radius * std::cos(2 * std::numbers::pi * random.uniform());
}

}  // namespace

SearchSpace::SearchSpace(const Job& base,
                         const std::function<bool(std::string_view, std::string_view)>& may_change) {
  for (const auto& section : sections_of(base))
    for (const auto& field : section.fields) {
      const auto& search = field.field.search;
      if (search.empty() || !may_change(section.name, field.name)) continue;
      Axis axis;
      if (search.factor > 0) {
        const double value = number_of(field);
        if (value <= 0) continue;
        axis.whole = std::holds_alternative<int64_t*>(field.value);
        axis.least = std::max(value / search.factor, field.field.min);
        axis.most = std::min(value * search.factor, field.field.max);
      } else {
        axis.choices = split_choices(search.choices);
      }
      names_.emplace_back(field.name);
      sections_.emplace_back(section.name);
      axes_.push_back(std::move(axis));
      base_.push_back(field_text(field));
    }
}

std::string SearchSpace::number_text(const Axis& axis, double value) const {
  value = std::clamp(value, axis.least, axis.most);
  // Three digits are enough, and are read well.
  return axis.whole ? fmt::format("{:.0f}", std::max(1.0, std::round(value))) : fmt::format("{:.3g}", value);
}

std::string SearchSpace::draw(const Axis& axis, RandomStream& random) const {
  if (!axis.choices.empty()) return axis.choices[random.below(axis.choices.size())];
  return number_text(axis, axis.least * std::pow(axis.most / axis.least, random.uniform()));
}

// To a neighbour among the choices, or some way along the logarithm.
std::string SearchSpace::step(const Axis& axis, const std::string& value, RandomStream& random) const {
  if (axis.choices.empty()) {
    constexpr double kShare = 0.2;  // of the whole range, as a standard deviation
    const double width = std::log(axis.most / axis.least) * kShare;
    return number_text(axis, std::stod(value) * std::exp(width * normal(random)));
  }
  const auto at = std::ranges::find(axis.choices, value);
  if (at == axis.choices.end()) return draw(axis, random);
  const bool up = at == axis.choices.begin() || (at + 1 != axis.choices.end() && random.below(2) == 0);
  return up && at + 1 == axis.choices.end() ? value : *(up ? at + 1 : at - 1);
}

SearchSpace::Values SearchSpace::anywhere(RandomStream& random) const {
  Values values = base_;
  for (size_t i = 0; i < values.size(); ++i)
    if (random.below(2) == 0) values[i] = draw(axes_[i], random);
  return values;
}

SearchSpace::Values SearchSpace::near(const Values& values, RandomStream& random) const {
  Values moved = values;
  if (moved.empty()) return moved;
  const size_t surely = random.below(moved.size());
  for (size_t i = 0; i < moved.size(); ++i)
    if (i == surely || random.below(3) == 0) moved[i] = step(axes_[i], values[i], random);
  return moved;
}

void SearchSpace::apply(const Values& values, Job& job) const {
  for (const auto& section : sections_of(job))
    for (const auto& field : section.fields)
      for (size_t i = 0; i < names_.size(); ++i)
        if (names_[i] == field.name && sections_[i] == section.name) parse_field(field, values[i]);
}

}  // namespace semblance
