// The command line of one verb: options from option structs, help, and values back into the structs.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "data/config.h"

namespace semblance {

class CommandLine {
 public:
  /// `usage`: what follows the program's name, such as "evaluate RUN DATA [options]".
  CommandLine(std::string usage, std::string description)
      : usage_(std::move(usage)), description_(std::move(description)) {}

  /// Options of `options`' fields under a heading; its present values are shown as defaults.
  template <class Options>
  void add_fields(const Options& options, std::string_view heading) {
    Options::fields(options, [&](std::string_view name, const auto& value, const Field& field) {
      using T = std::decay_t<decltype(value)>;
      add(heading, name, std::is_same_v<T, bool> ? Kind::Switch : Kind::Value, value_hint<T>(field),
          std::string(field.help), value_text(value));
    });
  }
  template <class Job>
  void add_job(const Job& job) {
    Job::sections(job, [&](std::string_view, const auto& options, std::string_view heading) {
      add_fields(options, heading);
    });
  }
  /// A flag without a value, or an option with one.
  void add_flag(std::string_view heading, std::string_view name, std::string help) {
    add(heading, name, Kind::Flag, "", std::move(help), "");
  }
  void add_option(std::string_view heading, std::string_view name, std::string hint, std::string help,
                  std::string shown_default = "") {
    add(heading, name, Kind::Value, std::move(hint), std::move(help), std::move(shown_default));
  }

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

  /// Sets the fields that were given.
  template <class Options>
  void apply_fields(Options& options) const {
    Options::fields(options, [&](std::string_view name, auto& value, const Field& field) {
      using T = std::decay_t<decltype(value)>;
      bool first = true;
      for (const auto& [key, text] : given_) {
        if (key != name) continue;
        if constexpr (config_detail::IsVector<T>::value) {
          if (field.repeated) {
            if (std::exchange(first, false)) value.clear();
            parse_value(value.emplace_back(), text, name, field);
            continue;
          }
        }
        parse_value(value, text, name, field);
      }
    });
  }
  /// Throws Error(Usage) if one of `Options`' fields was given, `but` for one, which does not apply to
  /// `what`.
  template <class Options>
  void expect_none_of(std::string_view what, std::string_view but = "") const {
    const Options options{};
    Options::fields(options, [&](std::string_view name, const auto&, const Field&) {
      if (name != but && given(name)) throw Error(ErrorKind::Usage, "--{}: does not apply to {}", name, what);
    });
  }
  template <class Job>
  void apply_job(Job& job) const {
    Job::sections(job, [&](std::string_view, auto& options, std::string_view) { apply_fields(options); });
  }

 private:
  enum class Kind { Value, Switch, Flag };
  struct Option {
    std::string heading, name;
    Kind kind;
    std::string hint, help, shown_default;
  };

  // The words before the first argument: "vectors neighbors".
  std::string verb() const;
  void add(std::string_view heading, std::string_view name, Kind kind, std::string hint, std::string help,
           std::string shown_default);

  std::string usage_, description_;
  std::vector<Option> options_;
  std::vector<std::pair<std::string, std::string>> given_;  // in order; a switch turned off is "false"
  std::vector<std::string> positional_;
};

}  // namespace semblance
