// Option structs (see fields.h) to and from JSON, TOML and command-line text.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "data/error.h"
#include "data/fields.h"

namespace semblance {

using Json = nlohmann::ordered_json;
/// For objects of many keys, which Json takes quadratic time for.
using SortedJson = nlohmann::json;

/// The JSON text of `json` in one line; ill-formed UTF-8 within it becomes U+FFFD.
std::string json_line(const Json& json);

/// Parses the JSON text of a file, of `name`. Throws Error(Data) where it is none, or deeper than anything
/// that the program writes, which would overrun the stack.
Json parse_json(std::string_view text, std::string_view name);
SortedJson parse_sorted_json(std::string_view text, std::string_view name);

/// The same of text that may be no JSON at all: a discarded value then.
Json json_if_any(std::string_view text);

/// Null for what is not finite, which JSON cannot say.
Json number_or_null(double value);
/// A value of a JSON object that was read from a file. Throws Error(Data) that names it unless it is there,
/// of that type and in that range.
int64_t whole_number_in(const Json& object, const char* key, int64_t least, int64_t most);
double finite_number_in(const Json& object, const char* key);
const std::string& text_in(const Json& object, const char* key);
const Json& list_in(const Json& object, const char* key);
const Json& object_in(const Json& object, const char* key);

/// Parses a whole number or throws Error(Usage) that names `option`: no suffix, no sign where the range
/// forbids it.
int64_t parse_integer(std::string_view text, std::string_view option, const Field& field);
/// The same for a real number; NaN and infinities are refused.
double parse_real(std::string_view text, std::string_view option, const Field& field);
bool parse_switch(std::string_view text, std::string_view option);
/// The parts between commas; none for an empty text.
std::vector<std::string> split_list(std::string_view text);

/// Sets a field from command-line text. Throws Error(Usage) that names it.
void parse_field(const FieldRef& field, std::string_view text);
/// The text that parse_field takes back to the field's value.
std::string field_text(const FieldRef& field);
/// What --help shows for its value.
std::string field_hint(const FieldRef& field);

/// An enum's value by its name. Throws Error(Usage) that names `option`.
template <class E>
E parse_enum(std::string_view text, std::string_view option) {
  E value{};
  parse_field({option, EnumRef(value), {}}, text);
  return value;
}
/// "a|b|c"
template <class E>
std::string enum_choices() {
  E value{};
  return field_hint({"", EnumRef(value), {}});
}

/// Reads a TOML file as JSON. Throws Error(Usage) with file and line, also for one that is too large or too
/// deep for a job.
Json read_toml(const std::string& path);
/// The TOML form of a JSON object.
std::string write_toml(const Json& object);

Json fields_to_json(const FieldList& fields);
/// Sets the fields that `json` names. Throws Error(Usage) for a key that is no field; `where` names the
/// section.
void fields_from_json(const FieldList& fields, const Json& json, std::string_view where);

template <class Options>
Json options_to_json(Options options) {
  return fields_to_json(fields_of(options));
}
template <class Options>
void options_from_json(Options& options, const Json& json, std::string_view where) {
  fields_from_json(fields_of(options), json, where);
}

}  // namespace semblance
