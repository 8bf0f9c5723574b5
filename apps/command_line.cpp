#include "apps/command_line.h"

#include <algorithm>
#include <cxxopts.hpp>
#include <utility>
#include <variant>

#include "apps/output.h"
#include "data/io/line_reader.h"

namespace semblance {
namespace {

// A list's items given one by one: the first takes the place of the list's default.
void append_item(const FieldRef& field, const std::string& text, bool first) {
  auto& list = *std::get<std::vector<std::string>*>(field.value);
  if (first) list.clear();
  list.push_back(text);
}

}  // namespace

std::string CommandLine::Option::description() const {
  if (kind == Kind::Switch) {
    const bool on = shown_default == "true";
    return fmt::format("{} (default: {}; --{})", help, on ? "yes" : "no", on ? off_name() : name);
  }
  return shown_default.empty() ? help : fmt::format("{} (default: {})", help, shown_default);
}

void CommandLine::add(Option option) {
  if (std::ranges::find(options_, option.name, &Option::name) == options_.end())
    options_.push_back(std::move(option));
}

void CommandLine::add(const FieldList& fields, std::string_view heading) {
  for (const auto& field : fields)
    add({std::string(heading), std::string(field.name),
         std::holds_alternative<bool*>(field.value) ? Kind::Switch : Kind::Value, field_hint(field),
         std::string(field.field.help), field_text(field)});
}

void CommandLine::add_sections(const Sections& options) {
  for (const auto& section : sections_of(options)) add(section.fields, section.title);
}

void CommandLine::apply(const FieldList& fields) const {
  for (const auto& field : fields) {
    bool first = true;
    for (const auto& [key, text] : given_) {
      if (key != field.name) continue;
      if (field.field.repeated)
        append_item(field, text, std::exchange(first, false));
      else
        parse_field(field, text);
    }
  }
}

void CommandLine::apply_sections(Sections& options) const {
  for (const auto& section : sections_of(options)) apply(section.fields);
}

bool CommandLine::parse(std::span<const std::string> arguments) {
  cxxopts::Options parser("semblance " + usage_, description_);
  parser.custom_help("").set_width(110);
  std::vector<std::string> headings;
  for (const auto& option : options_) {
    if (std::ranges::find(headings, option.heading) == headings.end()) headings.push_back(option.heading);
    const auto help = option.description();
    auto adder = parser.add_options(option.heading);
    if (option.kind == Kind::Value) {
      adder(option.name, help, cxxopts::value<std::string>(), option.hint);
    } else {
      adder(option.name, help);
    }
    if (option.kind == Kind::Switch) parser.add_options("off")(option.off_name(), "");
  }
  parser.add_options("Help")("h,help", "print this");
  headings.emplace_back("Help");

  // cxxopts knows names of one letter behind one dash alone: --k 1,5 and --k=1,5 are -k 1,5 to it.
  std::vector<std::string> plain;
  for (const auto& argument : arguments) {
    const bool one_letter = argument.starts_with("--") && (argument.size() == 3 || argument.find('=') == 3);
    if (!one_letter) {
      plain.push_back(argument);
      continue;
    }
    plain.push_back(argument.substr(1, 2));
    if (argument.size() > 3) plain.push_back(argument.substr(4));
  }
  std::vector<const char*> raw = {"semblance"};
  for (const auto& argument : plain) raw.push_back(argument.c_str());
  try {
    const auto result = parser.parse(static_cast<int>(raw.size()), raw.data());
    if (result.count("help") && instead_of_help) {
      instead_of_help(*this);
      return false;
    }
    if (result.count("help")) {
      print_out(parser.help(headings));
      return false;
    }
    for (const auto& item : result.arguments()) {
      const bool off = std::ranges::any_of(
          options_, [&](const Option& o) { return o.kind == Kind::Switch && o.off_name() == item.key(); });
      if (off)
        given_.emplace_back(item.key().substr(3), "false");
      else
        given_.emplace_back(item.key(), item.value());
    }
    positional_ = result.unmatched();
  } catch (const cxxopts::exceptions::exception& error) {
    std::string message = error.what();
    // cxxopts puts names between typographic quotes.
    for (const std::string quote : {"\u2018", "\u2019"})
      for (size_t at; (at = message.find(quote)) != std::string::npos;)
        message.replace(at, quote.size(), "'");
    throw Error(ErrorKind::Usage, "{}; see semblance {} --help", message, verb());
  }
  return true;
}

std::string CommandLine::verb() const {
  const auto words = split_blanks(usage_);
  std::string verb;
  for (const auto word : words) {
    if (word[0] < 'a' || word[0] > 'z') break;
    (verb += verb.empty() ? "" : " ") += word;
  }
  return verb;
}

const std::vector<std::string>& CommandLine::positional(size_t least, size_t most) const {
  if (positional_.size() < least || positional_.size() > most)
    throw Error(ErrorKind::Usage, "expected: semblance {}; found {} argument(s){}", usage_,
                positional_.size(),
                positional_.size() > most ? ", the last '" + positional_.back() + "'" : "");
  return positional_;
}

std::optional<std::string> CommandLine::last(std::string_view name) const {
  for (auto it = given_.rbegin(); it != given_.rend(); ++it)
    if (it->first == name) return it->second;
  return std::nullopt;
}

std::vector<std::string> CommandLine::all(std::string_view name) const {
  std::vector<std::string> values;
  for (const auto& [key, value] : given_)
    if (key == name) values.push_back(value);
  return values;
}

}  // namespace semblance
