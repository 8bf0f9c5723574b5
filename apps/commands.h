// Every command line that the verbs have: what the manual and the shells' completion are made of.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "apps/command_line.h"
#include "apps/verbs.h"

namespace semblance {

/// `sub` is the word behind the verb, such as the task to train; none where an argument may be anything.
struct Command {
  const Verb* verb;
  std::string sub;
  CommandLine line;
};

/// By verb, in the order of verbs().
std::vector<Command> all_commands();

/// What may be given where --help or a usage shows `placeholder`, such as "none|en|FILE".
struct Accepted {
  std::vector<std::string> words;
  bool files = false, runs = false;
};
Accepted accepted_by(std::string_view placeholder);

/// The placeholders of the arguments that are no options: RUN, FILE|-.
std::vector<std::string> argument_placeholders(const Command& command);

}  // namespace semblance
