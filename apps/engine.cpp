// semblance-engine, the whole program: finds the verb.
#include <string>
#include <vector>

#include "apps/output.h"
#include "apps/program.h"
#include "apps/verbs.h"

namespace {

using semblance::Arguments;

struct Verb {
  const char* name;
  int (*run)(Arguments);
  const char* help;
};

constexpr Verb kVerbs[] = {
    {"train", semblance::run_train, "train a model and write a run folder"},
    {"tune", semblance::run_tune, "find the best job within a budget"},
    {"resume", semblance::run_resume, "go on with a training, or a tuning, that was stopped"},
    {"evaluate", semblance::run_evaluate, "measure a trained model, or the ranking of word vectors"},
    {"predict", semblance::run_predict, "label texts"},
    {"encode", semblance::run_encode, "turn words or texts into vectors"},
    {"search", semblance::run_search, "find the texts nearest to others"},
    {"inspect", semblance::run_inspect, "verify a checkpoint and show what it holds"},
    {"export", semblance::run_export, "write what a model has learnt for other programs"},
    {"tokens", semblance::run_tokens, "show the words that a model sees of each line"},
    {"vectors", semblance::run_vectors, "ask questions of word vectors, measure and convert them"},
    {"version", semblance::run_version, "print versions and devices"},
};

int run(const std::vector<std::string>& arguments) {
  std::string names;
  for (const auto& verb : kVerbs) (names += names.empty() ? "" : ", ") += verb.name;
  if (arguments.empty())
    throw semblance::Error(semblance::ErrorKind::Usage, "expected a verb, one of {}; see semblance --help",
                           names);
  if (arguments[0] == "--help" || arguments[0] == "-h" || arguments[0] == "help") {
    std::string text =
        "Trains, resumes, evaluates and serves small text-embedding models.\n\nUsage: semblance VERB "
        "[options]\n\n";
    for (const auto& verb : kVerbs) text += fmt::format("  {:<10} {}\n", verb.name, verb.help);
    semblance::print_out(text + "\nsemblance VERB --help lists a verb's options.\n");
    return 0;
  }
  if (arguments[0] == "--version") return semblance::run_version({});
  for (const auto& verb : kVerbs)
    if (arguments[0] == verb.name) return verb.run(std::span(arguments).subspan(1));
  throw semblance::Error(semblance::ErrorKind::Usage, "expected a verb, one of {}; found '{}'", names,
                         arguments[0]);
}

}  // namespace

int main(int argc, char** argv) {
  return semblance::run_program({argv + 1, argv + argc}, run);
}
