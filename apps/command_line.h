// The command line of one verb: options from option structs, help, and values back into the structs.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "data/config.h"

namespace semblance {

class CommandLine {
 public:
  enum class Kind { Value, Switch, Flag };
  struct Option {
    std::string heading, name;
    Kind kind;
    std::string hint, help, shown_default;

    /// What --help says of it, its default included.
    std::string description() const;
    /// What turns a switch off, without the dashes.
    std::string off_name() const { return "no-" + name; }
  };

  /// `usage`: what follows the program's name, such as "evaluate RUN DATA [options]".
  CommandLine(std::string usage, std::string description)
      : usage_(std::move(usage)), description_(std::move(description)) {}

  /// Fields as options under a heading, their present values as defaults. A name that is there already is not
  /// added again.
  void add(const FieldList& fields, std::string_view heading);
  template <class Options>
  void add_fields(Options options, std::string_view heading) {
    add(fields_of(options), heading);
  }
  void add_sections(const Sections& options);
  /// A flag without a value, or an option with one.
  void add_flag(std::string_view heading, std::string_view name, std::string help) {
    add({std::string(heading), std::string(name), Kind::Flag, "", std::move(help), ""});
  }
  void add_option(std::string_view heading, std::string_view name, std::string hint, std::string help,
                  std::string shown_default = "") {
    add({std::string(heading), std::string(name), Kind::Value, std::move(hint), std::move(help),
         std::move(shown_default)});
  }

  /// Gets the line whose --help is asked for, instead of what prints it: those who make the manual and the
  /// shells' completion set it for so long.
  inline static std::function<void(const CommandLine&)> instead_of_help;

  const std::string& usage() const { return usage_; }
  const std::string& description() const { return description_; }
  const std::vector<Option>& options() const { return options_; }

  /// Parses; prints help and returns false if that was asked for. Throws Error(Usage).
  bool parse(std::span<const std::string> arguments);

  /// Arguments that belong to no option, in order. Throws Error(Usage) unless there are from `least` to
  /// `most`.
  const std::vector<std::string>& positional(size_t least, size_t most) const;
  bool given(std::string_view name) const { return last(name).has_value(); }
  /// The last value given for an option.
  std::optional<std::string> last(std::string_view name) const;

  /// All of them, in order.
  std::vector<std::string> all(std::string_view name) const;

  /// Sets the fields that were given. Throws Error(Usage) that names one.
  void apply(const FieldList& fields) const;
  template <class Options>
  void apply_fields(Options& options) const {
    apply(fields_of(options));
  }
  void apply_sections(Sections& options) const;

 private:
  // The words before the first argument: "vectors neighbors".
  std::string verb() const;
  void add(Option option);

  std::string usage_, description_;
  std::vector<Option> options_;
  std::vector<std::pair<std::string, std::string>> given_;  // in order; a switch turned off is "false"
  std::vector<std::string> positional_;
};

}  // namespace semblance
