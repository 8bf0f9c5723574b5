#include "data/config.h"

#include <toml++/toml.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <type_traits>

#include "data/io/byte_stream.h"

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
  std::string text = json_line(value);
  return value.is_number_float() && text.find_first_of(".en") == std::string::npos ? text + ".0" : text;
}

// What is read from files has bounds, far above all that the program writes.
constexpr int kDeepest = 64;
constexpr uint64_t kMostTomlBytes = uint64_t{16} << 20;

// How deep brackets are nested in a JSON text. The parser takes any depth; what comes after it is recursive.
int json_depth(std::string_view text) {
  int depth = 0, deepest = 0;
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\') ++i;
      quoted = c != '"';
    } else if (c == '"') {
      quoted = true;
    } else if (c == '[' || c == '{') {
      deepest = std::max(deepest, ++depth);
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return deepest;
}

// How many parts the longest dotted key of a TOML text has, or more: that is how deep its tables are nested.
// The library bounds the depth of values by itself.
int toml_depth(std::string_view text) {
  int dots = 0, deepest = 0;
  char quote = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\n') quote = 0;
    if (quote != 0) {
      if (c == '\\' && quote == '"') ++i;
      if (c == quote) quote = 0;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '#') {
      i = std::min(text.find('\n', i), text.size()) - 1;
    } else if (c == '.') {
      deepest = std::max(deepest, ++dots);
    } else if (std::string_view("=,[{\n").find(c) != std::string_view::npos) {
      dots = 0;
    }
  }
  return deepest;
}

[[noreturn]] void refuse_value(const char* key, std::string_view expected, const Json& object) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  const auto shown = found == object.end() ? "none" : json_line(*found);
  throw Error(ErrorKind::Data, "{}: expected {}, found {:.60}", key, expected, shown);
}

template <class Holds>
const Json& value_in(const Json& object, const char* key, std::string_view expected, Holds&& holds) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  if (found == object.end() || !holds(*found)) refuse_value(key, expected, object);
  return *found;
}

[[noreturn]] void refuse(std::string_view option, std::string_view expected, std::string_view found) {
  throw Error(ErrorKind::Usage, "--{}: expected {}, found '{}'", option, expected, found);
}

void check_range(double value, std::string_view option, const Field& field) {
  if (!(value >= field.min && value <= field.max))
    refuse(option, range_text(field, value == std::floor(value)), fmt::format("{}", value));
}

std::string all_names(const EnumRef& value) {
  std::string names;
  for (const auto& [number, name] : value.names()) (names += names.empty() ? "" : "|") += name;
  return names;
}

template <class T>
struct IsVector : std::false_type {};
template <class T>
struct IsVector<std::vector<T>> : std::true_type {};

// For each type of value: from text, to text, to JSON, from JSON.

void parse(bool& value, std::string_view text, std::string_view option, const Field&) {
  value = parse_switch(text, option);
}
void parse(int64_t& value, std::string_view text, std::string_view option, const Field& field) {
  value = parse_integer(text, option, field);
}
void parse(double& value, std::string_view text, std::string_view option, const Field& field) {
  value = parse_real(text, option, field);
}
void parse(std::string& value, std::string_view text, std::string_view, const Field&) {
  value = text;
}
void parse(const EnumRef& value, std::string_view text, std::string_view option, const Field&) {
  for (const auto& [number, name] : value.names())
    if (name == text) return value.set(number);
  refuse(option, "one of " + all_names(value), text);
}
template <class T>
void parse(std::vector<T>& values, std::string_view text, std::string_view option, const Field& field) {
  values.clear();
  for (const auto& part : split_list(text)) parse(values.emplace_back(), part, option, field);
}

std::string_view name_of(const EnumRef& value) {
  for (const auto& [number, name] : value.names())
    if (number == value.get()) return name;
  return {};
}

std::string text_of(const std::string& value) {
  return value;
}
std::string text_of(const EnumRef& value) {
  return std::string(name_of(value));
}
template <class T>
std::string text_of(const T& value) {
  if constexpr (IsVector<T>::value) {
    std::string text;
    for (const auto& part : value) (text += text.empty() ? "" : ",") += text_of(part);
    return text;
  } else {
    return fmt::format("{}", value);
  }
}

template <class T>
void set(T& value, const Json& json, std::string_view option, const Field& field) {
  if constexpr (std::is_same_v<T, std::vector<std::string>>) {
    // One text is a list of one: some options take several today that took one before.
    if (json.is_string()) {
      value.clear();
      if (!json.get_ref<const std::string&>().empty()) value.push_back(json.get<std::string>());
      return;
    }
  }
  if constexpr (IsVector<T>::value) {
    if (!json.is_array()) refuse(option, "a list", json.dump());
    value.clear();
    for (const auto& part : json) set(value.emplace_back(), part, option, field);
  } else if constexpr (std::is_same_v<T, std::string> || std::is_same_v<T, const EnumRef>) {
    if (!json.is_string()) refuse(option, "a text", json.dump());
    parse(value, json.get_ref<const std::string&>(), option, field);
  } else if constexpr (std::is_same_v<T, bool>) {
    if (!json.is_boolean()) refuse(option, "true or false", json.dump());
    value = json.get<bool>();
  } else {
    constexpr bool kWhole = std::is_same_v<T, int64_t>;
    const double number = json.is_number() ? json.get<double>() : NAN;
    if (!std::isfinite(number) ||
        (kWhole && (!json.is_number_integer() || number >= static_cast<double>(INT64_MAX))))
      refuse(option, kWhole ? "a whole number" : "a number", json.dump());
    value = json.get<T>();
    check_range(static_cast<double>(value), option, field);
  }
}

// Calls visit(value) with the field's value, whatever its type: a reference, or the EnumRef itself.
template <class Visit>
decltype(auto) with_value(const FieldRef& field, Visit&& visit) {
  return std::visit(
      [&](const auto& value) -> decltype(auto) {
        if constexpr (std::is_same_v<decltype(value), const EnumRef&>)
          return visit(value);
        else
          return visit(*value);
      },
      field.value);
}

}  // namespace

int64_t parse_integer(std::string_view text, std::string_view option, const Field& field) {
  int64_t value = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, status] = std::from_chars(text.data(), end, value);
  if (status != std::errc() || stop != end || !(static_cast<double>(value) >= field.min) ||
      !(static_cast<double>(value) <= field.max))
    refuse(option, range_text(field, true), text);
  return value;
}

double parse_real(std::string_view text, std::string_view option, const Field& field) {
  double value = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, status] = std::from_chars(text.data(), end, value);
  if (status != std::errc() || stop != end || !std::isfinite(value) || value < field.min || value > field.max)
    refuse(option, range_text(field, false), text);
  return value;
}

bool parse_switch(std::string_view text, std::string_view option) {
  if (text == "true" || text == "yes" || text == "1") return true;
  if (text == "false" || text == "no" || text == "0") return false;
  refuse(option, "true or false", text);
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

void parse_field(const FieldRef& field, std::string_view text) {
  with_value(field, [&](auto& value) { parse(value, text, field.name, field.field); });
}

std::string field_text(const FieldRef& field) {
  return with_value(field, [](const auto& value) { return text_of(value); });
}

std::string field_hint(const FieldRef& field) {
  if (!field.field.hint.empty()) return std::string(field.field.hint);
  if (const auto* value = std::get_if<EnumRef>(&field.value)) return all_names(*value);
  if (std::holds_alternative<int64_t*>(field.value)) return "N";
  if (std::holds_alternative<double*>(field.value)) return "X";
  return std::holds_alternative<std::string*>(field.value) ? "TEXT" : "LIST";
}

Json fields_to_json(const FieldList& fields) {
  Json json = Json::object();
  for (const auto& field : fields)
    json[std::string(field.name)] = with_value(field, [](const auto& value) -> Json {
      if constexpr (std::is_same_v<decltype(value), const EnumRef&>)
        return name_of(value);
      else
        return value;
    });
  return json;
}

void fields_from_json(const FieldList& fields, const Json& json, std::string_view where) {
  if (!json.is_object()) refuse(where, "a table", json.dump());
  for (const auto& [key, value] : json.items())
    if (std::ranges::find(fields, key, &FieldRef::name) == fields.end())
      throw Error(ErrorKind::Usage, "[{}] has no key '{}'; see the options in --help", where, key);
  for (const auto& field : fields)
    if (const auto found = json.find(std::string(field.name)); found != json.end())
      with_value(field, [&](auto& value) { set(value, *found, field.name, field.field); });
}

Json json_if_any(std::string_view text) {
  if (json_depth(text) > kDeepest) return Json(Json::value_t::discarded);
  return Json::parse(text, nullptr, /*allow_exceptions=*/false);
}

namespace {

template <class AnyJson>
AnyJson parse_as(std::string_view text, std::string_view name) {
  if (json_depth(text) > kDeepest)
    throw Error(ErrorKind::Data, "{}: expected JSON of at most {} levels, found more", name, kDeepest);
  try {
    return AnyJson::parse(text);
  } catch (const typename AnyJson::parse_error& error) {
    throw Error(ErrorKind::Data, "{}: expected JSON, found something else at byte {}", name, error.byte);
  } catch (const typename AnyJson::exception& error) {
    throw Error(ErrorKind::Data, "{}: expected JSON, found a value that is none ({})", name, error.what());
  }
}

}  // namespace

Json parse_json(std::string_view text, std::string_view name) {
  return parse_as<Json>(text, name);
}

SortedJson parse_sorted_json(std::string_view text, std::string_view name) {
  return parse_as<SortedJson>(text, name);
}

Json number_or_null(double value) {
  return std::isfinite(value) ? Json(value) : Json(nullptr);
}

int64_t whole_number_in(const Json& object, const char* key, int64_t least, int64_t most) {
  const auto in_range = [&](const Json& value) {
    if (value.is_number_unsigned() && value.get<uint64_t>() > static_cast<uint64_t>(INT64_MAX)) return false;
    return value.is_number_integer() && value.get<int64_t>() >= least && value.get<int64_t>() <= most;
  };
  return value_in(object, key, fmt::format("a whole number from {} to {}", least, most), in_range)
      .get<int64_t>();
}

double finite_number_in(const Json& object, const char* key) {
  const auto is_finite = [](const Json& value) {
    return value.is_number() && std::isfinite(value.get<double>());
  };
  return value_in(object, key, "a finite number", is_finite).get<double>();
}

const std::string& text_in(const Json& object, const char* key) {
  return value_in(object, key, "a text", [](const Json& value) { return value.is_string(); })
      .get_ref<const std::string&>();
}

const Json& list_in(const Json& object, const char* key) {
  return value_in(object, key, "a list", [](const Json& value) { return value.is_array(); });
}

const Json& object_in(const Json& object, const char* key) {
  return value_in(object, key, "an object", [](const Json& value) { return value.is_object(); });
}

std::string json_line(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json read_toml(const std::string& path) {
  std::string text;
  try {
    text = read_file(path, kMostTomlBytes);
  } catch (const Error& error) {
    throw Error(ErrorKind::Usage, error.what());
  }
  if (toml_depth(text) > kDeepest)
    throw Error(ErrorKind::Usage, "{}: expected keys of at most {} parts, found more", path, kDeepest);
  try {
    return to_json(toml::parse(text, path));
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
