// Option structs (see fields.h) to and from JSON, TOML and command-line text.
#pragma once

#include <fmt/ranges.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "data/error.h"
#include "data/fields.h"

namespace semblance {

using Json = nlohmann::ordered_json;

/// Parses a whole number or throws Error(Usage) that names `option`: no suffix, no sign where the range
/// forbids it.
int64_t parse_integer(std::string_view text, std::string_view option, const Field& field);
/// The same for a real number; NaN and infinities are refused.
double parse_real(std::string_view text, std::string_view option, const Field& field);
bool parse_switch(std::string_view text, std::string_view option);
/// The parts between commas; none for an empty text.
std::vector<std::string> split_list(std::string_view text);

/// Reads a TOML file as JSON. Throws Error(Usage) with file and line.
Json read_toml(const std::string& path);
/// The TOML form of a JSON object.
std::string write_toml(const Json& object);

namespace config_detail {

template <class T>
struct IsVector : std::false_type {};
template <class T>
struct IsVector<std::vector<T>> : std::true_type {};

void check_range(double value, std::string_view option, const Field& field);
[[noreturn]] void refuse(std::string_view option, std::string_view expected, std::string_view found);

template <class E>
std::string all_names() {
  std::string names;
  for (const auto& [value, name] : EnumNames<E>::names) (names += names.empty() ? "" : "|") += name;
  return names;
}

}  // namespace config_detail

/// What --help shows for a value of type T.
template <class T>
std::string value_hint(const Field& field) {
  if (!field.hint.empty()) return std::string(field.hint);
  if constexpr (std::is_enum_v<T>) return config_detail::all_names<T>();
  if constexpr (std::is_same_v<T, int64_t>) return "N";
  if constexpr (std::is_same_v<T, double>) return "X";
  if constexpr (config_detail::IsVector<T>::value) return "LIST";
  return "TEXT";
}

/// Sets `value` from command-line text. Throws Error(Usage) that names the option.
template <class T>
void parse_value(T& value, std::string_view text, std::string_view option, const Field& field) {
  if constexpr (std::is_same_v<T, bool>) {
    value = parse_switch(text, option);
  } else if constexpr (std::is_same_v<T, int64_t>) {
    value = parse_integer(text, option, field);
  } else if constexpr (std::is_same_v<T, double>) {
    value = parse_real(text, option, field);
  } else if constexpr (std::is_same_v<T, std::string>) {
    value = text;
  } else if constexpr (std::is_enum_v<T>) {
    for (const auto& [candidate, name] : EnumNames<T>::names)
      if (name == text) return static_cast<void>(value = candidate);
    config_detail::refuse(option, "one of " + config_detail::all_names<T>(), text);
  } else {
    value.clear();
    for (const auto& part : split_list(text)) parse_value(value.emplace_back(), part, option, field);
  }
}

/// The text that parse_value takes back to `value`.
template <class T>
std::string value_text(const T& value) {
  if constexpr (std::is_same_v<T, std::string>) {
    return value;
  } else if constexpr (std::is_enum_v<T>) {
    return std::string(enum_name(value));
  } else if constexpr (config_detail::IsVector<T>::value) {
    std::string text;
    for (const auto& part : value) (text += text.empty() ? "" : ",") += value_text(part);
    return text;
  } else {
    return fmt::format("{}", value);
  }
}

template <class T>
Json value_to_json(const T& value) {
  if constexpr (std::is_enum_v<T>)
    return enum_name(value);
  else
    return value;
}

template <class T>
void value_from_json(T& value, const Json& json, std::string_view option, const Field& field) {
  if constexpr (config_detail::IsVector<T>::value) {
    if (!json.is_array()) config_detail::refuse(option, "a list", json.dump());
    value.clear();
    for (const auto& part : json) value_from_json(value.emplace_back(), part, option, field);
  } else if constexpr (std::is_same_v<T, std::string> || std::is_enum_v<T>) {
    if (!json.is_string()) config_detail::refuse(option, "a text", json.dump());
    parse_value(value, json.get<std::string>(), option, field);
  } else if constexpr (std::is_same_v<T, bool>) {
    if (!json.is_boolean()) config_detail::refuse(option, "true or false", json.dump());
    value = json.get<bool>();
  } else {
    if (!json.is_number() || (std::is_same_v<T, int64_t> && !json.is_number_integer()))
      config_detail::refuse(option, std::is_same_v<T, int64_t> ? "a whole number" : "a number", json.dump());
    value = json.get<T>();
    config_detail::check_range(static_cast<double>(value), option, field);
  }
}

template <class Options>
Json options_to_json(const Options& options) {
  Json json = Json::object();
  Options::fields(options, [&](std::string_view name, const auto& value, const Field&) {
    json[std::string(name)] = value_to_json(value);
  });
  return json;
}

/// Sets the fields that `json` names. Throws Error(Usage) for a key that is no field; `where` names the
/// section.
template <class Options>
void options_from_json(Options& options, const Json& json, std::string_view where) {
  if (!json.is_object()) config_detail::refuse(where, "a table", json.dump());
  size_t used = 0;
  Options::fields(options, [&](std::string_view name, auto& value, const Field& field) {
    const auto found = json.find(std::string(name));
    if (found == json.end()) return;
    value_from_json(value, *found, name, field);
    ++used;
  });
  if (used == json.size()) return;
  for (const auto& [key, value] : json.items()) {
    bool known = false;
    Options::fields(options, [&](std::string_view name, const auto&, const Field&) { known |= name == key; });
    if (!known) throw Error(ErrorKind::Usage, "[{}] has no key '{}'; see the options in --help", where, key);
  }
}

/// A job is several option structs, each a section: `Job::sections(job, visit)` calls visit(name, options,
/// title).
template <class Job>
Json job_to_json(const Job& job) {
  Json json = {{"task", Job::kTask}};
  Job::sections(job, [&](std::string_view name, const auto& options, std::string_view) {
    json[std::string(name)] = options_to_json(options);
  });
  return json;
}

template <class Job>
void job_from_json(Job& job, const Json& json) {
  if (!json.is_object()) throw Error(ErrorKind::Usage, "a job is a table of sections");
  for (const auto& [key, value] : json.items()) {
    bool known = key == "task";
    Job::sections(job, [&](std::string_view name, auto& options, std::string_view) {
      if (name != key) return;
      known = true;
      options_from_json(options, value, name);
    });
    if (!known) throw Error(ErrorKind::Usage, "a {} job has no section [{}]", Job::kTask, key);
  }
}

}  // namespace semblance
