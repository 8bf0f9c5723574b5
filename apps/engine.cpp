// semblance-engine, the whole program: finds the verb.
#include <string>
#include <vector>

#include "apps/output.h"
#include "apps/program.h"
#include "apps/verbs.h"

namespace {

int run(const std::vector<std::string>& arguments) {
  std::string names;
  for (const auto& verb : semblance::verbs()) (names += names.empty() ? "" : ", ") += verb.name;
  if (arguments.empty())
    throw semblance::Error(semblance::ErrorKind::Usage, "expected a verb, one of {}; see semblance --help",
                           names);
  if (arguments[0] == "--help" || arguments[0] == "-h" || arguments[0] == "help") {
    std::string text =
        std::string(semblance::kProgramDescription) + "\n\nUsage: semblance VERB [options]\n\n";
    for (const auto& verb : semblance::verbs()) text += fmt::format("  {:<10} {}\n", verb.name, verb.help);
    semblance::print_out(text + "\nsemblance VERB --help lists a verb's options.\n");
    return 0;
  }
  if (arguments[0] == "--version") return semblance::run_version({});
  for (const auto& verb : semblance::verbs())
    if (arguments[0] == verb.name) return verb.run(std::span(arguments).subspan(1));
  throw semblance::Error(semblance::ErrorKind::Usage, "expected a verb, one of {}; found '{}'", names,
                         arguments[0]);
}

}  // namespace

int main(int argc, char** argv) {
  return semblance::run_program({argv + 1, argv + argc}, run);
}
