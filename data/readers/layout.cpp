#include "data/readers/layout.h"

#include <fmt/ranges.h>

namespace semblance {

std::string Layout::column_name(size_t column) const {
  if (format == InputFormat::JsonLines) return columns[column];
  return columns[column].empty() ? fmt::format("column {}", column + 1)
                                 : fmt::format("column {} ({})", column + 1, columns[column]);
}

std::string Layout::description() const {
  std::string text(enum_name(format));
  const auto names = [&](const std::vector<size_t>& chosen) {
    std::vector<std::string> parts;
    for (const size_t column : chosen) parts.push_back(column_name(column));
    return fmt::format("{}", fmt::join(parts, ", "));
  };
  if (format == InputFormat::Csv || format == InputFormat::Tsv)
    text += header ? " with header" : " without header";
  if (delimited() && quoting == Quoting::Backslash) text += ", backslashes before quotes";
  if (preamble > 0) text += fmt::format(", after {} line(s) that are no rows", preamble);
  if (!encoding.empty()) text += ", " + encoding;
  if (columns.empty() || format == InputFormat::RuTweetCorp) return text;
  text += ", text in " + names(texts);
  if (!labels.empty()) text += (labels.size() > 1 ? ", labels in " : ", label in ") + names(labels);
  if (!label_separator.empty()) text += fmt::format(", labels between '{}'", label_separator);
  return text;
}

Json layout_to_json(const Layout& layout) {
  Json json = {{"format", enum_name(layout.format)}};
  if (layout.delimited()) {
    json["delimiter"] = std::string(1, layout.delimiter);
    json["quoting"] = enum_name(layout.quoting);
    json["header"] = layout.header;
  }
  if (!layout.columns.empty()) {
    json["columns"] = layout.columns;
    json["text"] = layout.texts;
    json["label"] = layout.labels;
    json["label_separator"] = layout.label_separator;
  }
  if (layout.format == InputFormat::FastText) json["label_prefix"] = layout.label_prefix;
  json["encoding"] = layout.encoding;
  return json;
}

Layout layout_from_json(const Json& json) {
  Layout layout;
  layout.format = parse_enum<InputFormat>(json.at("format").get<std::string>(), "input-format");
  if (layout.delimited()) {
    layout.delimiter = json.at("delimiter").get<std::string>().at(0);
    layout.quoting = parse_enum<Quoting>(json.at("quoting").get<std::string>(), "quoting");
    layout.header = json.at("header").get<bool>();
  }
  if (json.contains("columns")) {
    layout.columns = json["columns"].get<std::vector<std::string>>();
    layout.texts = json.at("text").get<std::vector<size_t>>();
    layout.labels = json.at("label").get<std::vector<size_t>>();
    layout.label_separator = json.at("label_separator").get<std::string>();
    for (const auto* chosen : {&layout.texts, &layout.labels})
      for (const size_t column : *chosen) layout.columns.at(column);
  }
  layout.label_prefix = json.value("label_prefix", "");
  layout.encoding = json.at("encoding").get<std::string>();
  return layout;
}

}  // namespace semblance
