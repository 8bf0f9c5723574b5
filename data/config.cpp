#include "data/config.h"

#include <toml++/toml.h>
#include <charconv>
#include <cmath>

namespace semblance {
namespace {

std::string range_text(const Field& field, bool whole) {
  const std::string kind = whole ? "a whole number" : "a number";
  if (std::isfinite(field.min) && std::isfinite(field.max))
    return fmt::format("{} from {} to {}", kind, field.min, field.max);
  if (std::isfinite(field.min)) return fmt::format("{} of at least {}", kind, field.min);
  return kind;
}

Json to_json(const toml::node& node) {
  if (const auto* table = node.as_table()) {
    Json json = Json::object();
    for (const auto& [key, value] : *table) json[std::string(key.str())] = to_json(value);
    return json;
  }
  if (const auto* array = node.as_array()) {
    Json json = Json::array();
    for (const auto& value : *array) json.push_back(to_json(value));
    return json;
  }
  if (const auto value = node.value<std::string>(); value && node.is_string()) return *value;
  if (node.is_boolean()) return *node.value<bool>();
  if (node.is_integer()) return *node.value<int64_t>();
  if (node.is_floating_point()) return *node.value<double>();
  return nullptr;  // dates and times: no option takes one
}

// A JSON text is a TOML text but for the escape of a slash and of DEL, neither of which the dump makes.
std::string toml_value(const Json& value) {
  std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  return value.is_number_float() && text.find_first_of(".en") == std::string::npos ? text + ".0" : text;
}

}  // namespace

namespace config_detail {

void refuse(std::string_view option, std::string_view expected, std::string_view found) {
  throw Error(ErrorKind::Usage, "--{}: expected {}, found '{}'", option, expected, found);
}

void check_range(double value, std::string_view option, const Field& field) {
  if (!(value >= field.min && value <= field.max))
    refuse(option, range_text(field, value == std::floor(value)), fmt::format("{}", value));
}

}  // namespace config_detail

int64_t parse_integer(std::string_view text, std::string_view option, const Field& field) {
  int64_t value = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, status] = std::from_chars(text.data(), end, value);
  if (status != std::errc() || stop != end || !(static_cast<double>(value) >= field.min) ||
      !(static_cast<double>(value) <= field.max))
    config_detail::refuse(option, range_text(field, true), text);
  return value;
}

double parse_real(std::string_view text, std::string_view option, const Field& field) {
  double value = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, status] = std::from_chars(text.data(), end, value);
  if (status != std::errc() || stop != end || !std::isfinite(value) || value < field.min || value > field.max)
    config_detail::refuse(option, range_text(field, false), text);
  return value;
}

bool parse_switch(std::string_view text, std::string_view option) {
  if (text == "true" || text == "yes" || text == "1") return true;
  if (text == "false" || text == "no" || text == "0") return false;
  config_detail::refuse(option, "true or false", text);
}

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const size_t comma = text.find(',');
    parts.emplace_back(text.substr(0, comma));
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
    if (text.empty()) parts.emplace_back();
  }
  return parts;
}

Json read_toml(const std::string& path) {
  try {
    return to_json(toml::parse_file(path));
  } catch (const toml::parse_error& error) {
    throw Error(ErrorKind::Usage, "{}:{}: {}", path, error.source().begin.line, error.description());
  }
}

std::string write_toml(const Json& object) {
  std::string text;
  for (const auto& [key, value] : object.items())
    if (!value.is_object()) text += fmt::format("{} = {}\n", key, toml_value(value));
  for (const auto& [key, value] : object.items()) {
    if (!value.is_object()) continue;
    text += fmt::format("\n[{}]\n", key);
    for (const auto& [name, field] : value.items()) text += fmt::format("{} = {}\n", name, toml_value(field));
  }
  return text;
}

}  // namespace semblance
