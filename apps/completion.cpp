// semblance completion bash|zsh|fish
#include <fmt/ranges.h>
#include <algorithm>

#include "apps/commands.h"
#include "apps/output.h"

namespace semblance {
namespace {

// The commands that begin with the same words, which one line of all their options stands for.
struct Entry {
  const Verb* verb;
  std::string sub;
  std::vector<std::string> subs;  // what may stand in the place of `sub`
  std::vector<CommandLine::Option> options;
  std::vector<std::string> placeholders;
};

bool has(const std::vector<CommandLine::Option>& options, std::string_view name) {
  return std::ranges::find(options, name, &CommandLine::Option::name) != options.end();
}

// A verb's own entry comes behind those of its subs.
std::vector<Entry> entries() {
  const auto commands = all_commands();
  std::vector<Entry> entries;
  for (const auto& verb : verbs()) {
    Entry own{&verb, "", {}, {}, {}};
    for (const auto& command : commands) {
      if (command.verb != &verb) continue;
      for (const auto& option : command.line.options())
        if (!has(own.options, option.name)) own.options.push_back(option);
      if (command.sub.empty()) {
        if (own.placeholders.empty()) own.placeholders = argument_placeholders(command);
      } else {
        own.subs.push_back(command.sub);
        entries.push_back({&verb, command.sub, {}, command.line.options(), argument_placeholders(command)});
      }
    }
    // Options before a sub are for a job file, which takes its place.
    if (!own.subs.empty() && !has(own.options, "config")) own.options.clear();
    entries.push_back(std::move(own));
  }
  return entries;
}

std::vector<std::string> verb_names() {
  std::vector<std::string> names;
  for (const auto& verb : verbs()) names.emplace_back(verb.name);
  return names;
}

std::string join(const std::vector<std::string>& words) {
  return fmt::format("{}", fmt::join(words, " "));
}

// Between single quotes, for any of the shells; `escaped_quote` is how a quote is written there.
std::string quoted(std::string_view text, std::string_view escaped_quote) {
  std::string result = "'";
  for (const char c : text) {
    if (c == '\'')
      result += escaped_quote;
    else
      result += c == '\n' ? ' ' : c;
  }
  return result + "'";
}

// What bash's helper below is called with.
std::string bash_reply(const Accepted& accepted) {
  return fmt::format("_semblance_reply \"{}\"{}", join(accepted.words),
                     accepted.runs    ? " runs"
                     : accepted.files ? " files"
                                      : "");
}

std::string bash_entry(const Entry& entry) {
  std::vector<std::string> names = {"--help"};
  std::string values;
  for (const auto& option : entry.options) {
    names.push_back("--" + option.name);
    if (option.kind == CommandLine::Kind::Switch) names.push_back("--" + option.off_name());
    if (option.kind == CommandLine::Kind::Value)
      values += fmt::format("        --{}) {} ;;\n", option.name, bash_reply(accepted_by(option.hint)));
  }
  Accepted arguments;
  arguments.words = entry.subs;
  for (const auto& placeholder : entry.placeholders) {
    const auto accepted = accepted_by(placeholder);
    arguments.words.insert(arguments.words.end(), accepted.words.begin(), accepted.words.end());
    arguments.files |= accepted.files;
    arguments.runs |= accepted.runs;
  }
  return fmt::format(
      "    {}\\ {}*)\n      case $option in\n{}"
      "        *) if [[ $word == -* ]]; then _semblance_reply \"{}\"; else {}; fi ;;\n      esac ;;\n",
      entry.verb->name, entry.sub.empty() ? "" : entry.sub + "\\ ", values, join(names),
      bash_reply(arguments));
}

std::string bash() {
  std::string text = R"(# bash completion for semblance, printed by: semblance completion bash

# Completes $word with the words of $1, and with files where $2 says so; runs are also found by name in checkpoints/.
_semblance_reply() {
  mapfile -t COMPREPLY < <(
    compgen -W "$1" -- "$word"
    if [[ $2 == runs ]]; then (CDPATH='' cd checkpoints 2>/dev/null && compgen -d -- "$word"); fi
    if [[ $2 ]]; then compgen -f -- "$word"; fi
  )
  # It fails outside of a completion alone.
  if [[ $2 ]]; then compopt -o filenames 2>/dev/null; fi
}

_semblance() {
  local word=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD - 1]} before
  # bash cuts --option=value in three.
  if [[ $word == = ]]; then
    word=
  elif [[ $option == = ]]; then
    option=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  if ((COMP_CWORD == 1)); then
    _semblance_reply "$verbs"
    return
  fi
  printf -v before '%s ' "${COMP_WORDS[@]:1:COMP_CWORD - 1}"
  case $before in
)";
  const std::string placeholder = "$verbs";
  text.replace(text.find(placeholder), placeholder.size(), join(verb_names()));
  for (const auto& entry : entries()) text += bash_entry(entry);
  return text + "  esac\n}\n\ncomplete -F _semblance semblance\n";
}

constexpr const char* kZshQuote = "'\\''";

// The part of an argument's or option's description that says what may be given.
std::string zsh_value(std::string_view placeholder) {
  const auto accepted = accepted_by(placeholder);
  std::string hint;
  for (const char c : placeholder) hint += c == ':' ? "\\:" : std::string(1, c);
  const auto words = join(accepted.words);
  if (accepted.runs || accepted.files)
    return fmt::format(":{}:{{{}{}}}", hint, words.empty() ? "" : "compadd -- " + words + "; ",
                       accepted.runs ? "_semblance_runs" : "_files");
  return words.empty() ? fmt::format(":{}: ", hint) : fmt::format(":{}:({})", hint, words);
}

std::string zsh_entry(const Entry& entry) {
  std::string specs;
  const auto add = [&](std::string_view spec) { specs += " \\\n        " + quoted(spec, kZshQuote); };
  add("--help[print help]");
  for (const auto& option : entry.options) {
    std::string help;
    for (const char c : option.description()) (help += c == '[' || c == ']' || c == '\\' ? "\\" : "") += c;
    add(fmt::format("*--{}{}[{}]{}", option.name, option.kind == CommandLine::Kind::Value ? "=" : "", help,
                    option.kind == CommandLine::Kind::Value ? zsh_value(option.hint) : ""));
    if (option.kind == CommandLine::Kind::Switch) add(fmt::format("*--{}", option.off_name()));
  }
  if (!entry.subs.empty()) add(fmt::format("1:{}:({})", entry.verb->name, join(entry.subs)));
  for (size_t i = 0; i < entry.placeholders.size(); ++i)
    add(fmt::format("{}{}", i + 1, zsh_value(entry.placeholders[i])));
  return fmt::format(
      "    {}\\ {}*)\n      shift {} words\n      (( CURRENT -= {} ))\n      _arguments{} ;;\n",
      entry.verb->name, entry.sub.empty() ? "" : entry.sub + "\\ ", entry.sub.empty() ? 1 : 2,
      entry.sub.empty() ? 1 : 2, specs);
}

std::string zsh() {
  std::string text = R"(#compdef semblance
# zsh completion for semblance, printed by: semblance completion zsh

# Files and folders; runs are also found by name in checkpoints/.
_semblance_runs() {
  compadd -- checkpoints/*(N/:t)
  _files
}

_semblance() {
  if (( CURRENT == 2 )); then
    local -a verbs=(
)";
  for (const auto& verb : verbs())
    text += fmt::format("      {}\n", quoted(fmt::format("{}:{}", verb.name, verb.help), kZshQuote));
  text += R"(    )
    _describe verb verbs
    return
  fi
  case "${words[2,CURRENT-1]} " in
)";
  for (const auto& entry : entries()) text += zsh_entry(entry);
  return text + R"(  esac
}

# As a function that zsh loads, or as a file that is read.
if [[ $funcstack[1] == _semblance ]]; then _semblance "$@"; else compdef _semblance semblance; fi
)";
}

std::string fish_quoted(std::string_view text) {
  std::string escaped;
  for (const char c : text) (escaped += c == '\\' ? "\\" : "") += c;
  return quoted(escaped, "\\'");
}

// What follows in a line of fish's for a value or an argument.
std::string fish_value(const Accepted& accepted) {
  std::string text = accepted.runs || accepted.files ? " -F" : " -f";
  auto words = join(accepted.words);
  if (accepted.runs) words += (words.empty() ? "" : " ") + std::string("(__semblance_runs)");
  return words.empty() ? text : text + fmt::format(" -a '{}'", words);
}

std::string fish_entry(const Entry& entry) {
  std::string where = fmt::format("__semblance_is {}", entry.verb->name), text;
  if (!entry.sub.empty()) where += " " + entry.sub;
  if (!entry.subs.empty()) {
    text += fmt::format("complete -c semblance -n '{}; and __semblance_behind 2' -a '{}'\n", where,
                        join(entry.subs));
    where += fmt::format("; and not {} {}", where, join(entry.subs));
  }
  const auto begin = fmt::format("complete -c semblance -n '{}'", where);
  for (const auto& option : entry.options) {
    text += fmt::format("{} -l {}", begin, option.name);
    if (option.kind == CommandLine::Kind::Value) text += fish_value(accepted_by(option.hint)) + " -r";
    text += fmt::format(" -d {}\n", fish_quoted(option.description()));
    if (option.kind == CommandLine::Kind::Switch) text += fmt::format("{} -l {}\n", begin, option.off_name());
  }
  for (const auto& placeholder : entry.placeholders)
    if (const auto value = fish_value(accepted_by(placeholder)); !value.empty())
      text += fmt::format("{}{}\n", begin, value);
  return text;
}

std::string fish() {
  std::string text = R"(# fish completion for semblance, printed by: semblance completion fish

# VERB [WORD…]: whether that is the verb, and one of the words is behind it.
function __semblance_is
    set -l words (commandline -opc)
    test "$words[2]" = $argv[1]; and begin
        not set -q argv[2]; or contains -- "$words[3]" $argv[2..]
    end
end

# Whether so many words are complete.
function __semblance_behind
    test (count (commandline -opc)) -eq $argv[1]
end

# The runs in checkpoints/, by name.
function __semblance_runs
    set -l folders checkpoints/*/
    string replace -r '^checkpoints/(.*)/$' '$1' $folders
end

complete -c semblance -f
complete -c semblance -l help -d 'print help'
)";
  for (const auto& verb : verbs())
    text += fmt::format("complete -c semblance -n '__semblance_behind 1' -a {} -d {}\n", verb.name,
                        fish_quoted(verb.help));
  for (const auto& entry : entries()) text += fish_entry(entry);
  return text;
}

struct Shell {
  const char* name;
  std::string (*completion)();
};

constexpr Shell kShells[] = {{"bash", bash}, {"zsh", zsh}, {"fish", fish}};

}  // namespace

int run_completion(Arguments arguments) {
  std::string names;
  for (const auto& shell : kShells) (names += names.empty() ? "" : "|") += shell.name;
  CommandLine line("completion " + names,
                   "Prints what completes the program's commands in a shell, such as\n"
                   "source <(semblance completion bash)");
  if (!line.parse(arguments)) return 0;
  const auto& given = line.positional(1, 1)[0];
  for (const auto& shell : kShells)
    if (given == shell.name) {
      print_out(shell.completion());
      return 0;
    }
  throw Error(ErrorKind::Usage, "expected one of {}, found '{}'", names, given);
}

}  // namespace semblance
