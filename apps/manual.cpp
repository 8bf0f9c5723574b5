// semblance manual
#include <map>

#include "apps/commands.h"
#include "apps/output.h"

namespace semblance {
namespace {

// As roff takes it for text.
std::string roff(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    const bool begins_line = escaped.empty() || escaped.back() == '\n';
    if (begins_line && (c == '.' || c == '\'')) escaped += "\\&";
    if (c == '\\')
      escaped += "\\e";
    else if (c == '-')
      escaped += "\\-";
    else
      escaped += c;
  }
  return escaped;
}

std::string roff(const CommandLine::Option& option) {
  auto head = "\\fB" + roff("--" + option.name) + "\\fR";
  if (option.kind == CommandLine::Kind::Switch) head += ", \\fB" + roff("--" + option.off_name()) + "\\fR";
  if (option.kind == CommandLine::Kind::Value) head += " \\fI" + roff(option.hint) + "\\fR";
  return fmt::format(".TP\n{}\n{}\n", head, roff(option.description()));
}

// The options by heading. A long list that an earlier command has as well is named alone: `told` has their
// text.
std::string roff(const CommandLine& line, std::string_view command,
                 std::map<std::string, std::string>& told) {
  constexpr size_t kLong = 5;
  std::vector<std::string> headings;
  std::map<std::string, std::vector<std::string>> lists;
  for (const auto& option : line.options()) {
    auto& list = lists[option.heading];
    if (list.empty()) headings.push_back(option.heading);
    list.push_back(roff(option));
  }
  std::string text;
  for (const auto& heading : headings) {
    std::string list;
    for (const auto& option : lists[heading]) list += option;
    const auto [known, is_new] = told.try_emplace(list, command);
    if (!is_new && lists[heading].size() >= kLong)
      list = fmt::format(".PP\nThe options of \\fB{}\\fR.\n", roff(known->second));
    text += fmt::format(".PP\n\\fI{}\\fR\n{}", roff(heading), list);
  }
  return text;
}

}  // namespace

int run_manual(Arguments arguments) {
  CommandLine line("manual", "Prints the manual page, in roff: semblance manual | man -l -");
  if (!line.parse(arguments)) return 0;
  line.positional(0, 0);
  std::string text = fmt::format(
      ".TH SEMBLANCE 1 \"\" \"semblance {}\"\n.SH NAME\nsemblance \\- small text\\-embedding models\n"
      ".SH SYNOPSIS\n\\fBsemblance\\fR \\fIVERB\\fR [\\fIoptions\\fR]\n.SH DESCRIPTION\n{}\n",
      SEMBLANCE_VERSION, roff(kProgramDescription));
  for (const auto& verb : verbs())
    text += fmt::format(".TP\n\\fB{}\\fR\n{}\n", roff(verb.name), roff(verb.help));
  text += ".SH COMMANDS\n";
  std::map<std::string, std::string> told;
  for (const auto& [verb, sub, form] : all_commands()) {
    const auto command = sub.empty() ? verb->name : fmt::format("{} {}", verb->name, sub);
    text += fmt::format(".SS \"semblance {}\"\n{}\n{}", roff(form.usage()), roff(form.description()),
                        roff(form, command, told));
  }
  print_out(text);
  return 0;
}

}  // namespace semblance
