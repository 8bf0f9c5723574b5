#include "apps/answers.h"

#include <algorithm>

#include "apps/output.h"

namespace semblance {
namespace {

// As RFC 4180 has it.
std::string quoted(const std::string& cell, char delimiter) {
  if (cell.find_first_of(std::string{delimiter, '"', '\n', '\r'}) == std::string::npos) return cell;
  std::string quoted = "\"";
  for (const char c : cell) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + '"';
}

std::string cell_of(const Json& value) {
  return value.is_null() ? "" : value.is_string() ? value.get<std::string>() : json_line(value);
}

bool contains(const std::vector<size_t>& columns, size_t column) {
  return std::ranges::find(columns, column) != columns.end();
}

}  // namespace

Answers::Answers(const AnswerOptions& options, bool multi_label, std::span<const std::string> classes)
    : options_(options),
      lists_(multi_label || options.predict.top_k > 0 || options.predict.threshold > 0),
      classes_(classes) {}

// Columns of a table are flat and always there; an object has what there is to say.
Json Answers::answer(const Prediction* prediction) const {
  const bool table = options_.format != OutputFormat::JsonLines;
  Json answer = Json::object();
  if (lists_) {
    answer["labels"] = prediction ? Json(prediction->labels) : Json();
    answer["probabilities"] = prediction ? Json(prediction->probabilities) : Json();
  } else {
    answer["label"] = prediction ? Json(prediction->labels[0]) : Json();
    answer["probability"] = prediction ? Json(prediction->probabilities[0]) : Json();
  }
  if (table || (prediction && !prediction->known))
    answer["known"] = prediction ? Json(prediction->known) : Json();
  if (!options_.predict.all_probabilities) return answer;
  Json all = Json::object();
  for (size_t c = 0; c < classes_.size(); ++c) {
    const Json value = prediction ? Json(prediction->all[c]) : Json();
    if (table)
      answer["probability of " + classes_[c]] = value;
    else
      all[classes_[c]] = value;
  }
  if (!table) answer["all_probabilities"] = prediction ? all : Json();
  return answer;
}

std::string Answers::line(const Json& values) const {
  if (options_.format == OutputFormat::JsonLines) return json_line(values) + "\n";
  const char delimiter = options_.format == OutputFormat::Csv ? ',' : '\t';
  std::string line;
  for (const auto& value : values) {
    if (&value != &values.front()) line += delimiter;
    line += quoted(cell_of(value), delimiter);
  }
  return line + "\n";
}

void Answers::begin(const Layout& layout) {
  const Json names = answer(nullptr);
  columns_ = layout.columns;
  for (size_t column = 0; column < layout.columns.size(); ++column) {
    if (contains(layout.texts, column) || contains(layout.labels, column)) continue;
    auto name =
        layout.columns[column].empty() ? fmt::format("column {}", column + 1) : layout.columns[column];
    while (names.contains(name) ||
           std::ranges::any_of(others_, [&](const auto& other) { return other.first == name; }))
      name = "input " + name;
    others_.emplace_back(name, column);
  }
  if (options_.format == OutputFormat::JsonLines) return;
  Json header = Json::array();
  for (const auto& other : others_) header.push_back(other.first);
  for (const auto& [name, value] : names.items()) header.push_back(name);
  print_out(line(header));
}

void Answers::keep(const ReadText& row) {
  Row kept{.others = Json::object(), .left_out = row.left_out};
  for (const auto& [name, column] : others_) {
    Json& value = kept.others[name];
    if (row.left_out) continue;
    if (row.object == nullptr)
      value = std::string(row.cells[column]);
    else if (const auto found = row.object->find(columns_[column]); found != row.object->end())
      value = *found;
  }
  rows_.push_back(std::move(kept));
}

void Answers::print(std::span<const Prediction> predictions) {
  size_t next = 0;
  for (auto& row : rows_) {
    row.others.update(answer(row.left_out ? nullptr : &predictions[next++]));
    print_out(line(row.others));
  }
  rows_.clear();
}

}  // namespace semblance
