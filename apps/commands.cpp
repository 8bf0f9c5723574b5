#include "apps/commands.h"

#include <algorithm>
#include <array>

#include "training/tasks/registry.h"

namespace semblance {
namespace {

std::vector<std::vector<std::string>> task_forms() {
  std::vector<std::vector<std::string>> forms;
  for (const auto& kind : task_kinds()) forms.push_back({std::string(kind.name)});
  return forms;
}

constexpr Verb kVerbs[] = {
    {"train", run_train, "train a model and write a run folder", task_forms},
    {"tune", run_tune, "find the best job within a budget", task_forms},
    {"resume", run_resume, "go on with a training, or a tuning, that was stopped"},
    {"evaluate", run_evaluate, "measure a trained model, or the ranking of word vectors", evaluate_forms},
    {"predict", run_predict, "label texts"},
    {"encode", run_encode, "turn words or texts into vectors"},
    {"search", run_search, "find the texts nearest to others"},
    {"inspect", run_inspect, "verify a checkpoint and show what it holds"},
    {"export", run_export, "write what a model has learnt for other programs"},
    {"report", run_report, "write a page about a run"},
    {"tokens", run_tokens, "show the words that a model sees of each line"},
    {"vectors", run_vectors, "ask questions of word vectors, measure and convert them", vectors_forms},
    {"version", run_version, "print versions and devices"},
    {"completion", run_completion, "print what completes commands in a shell"},
    {"manual", run_manual, "print the manual page"},
};

std::vector<std::string> parts_of(std::string_view text, char delimiter) {
  std::vector<std::string> parts(1);
  for (const char c : text)
    if (c == delimiter)
      parts.emplace_back();
    else
      parts.back() += c;
  return parts;
}

}  // namespace

std::span<const Verb> verbs() {
  return kVerbs;
}

std::vector<Command> all_commands() {
  std::vector<Command> commands;
  for (const auto& verb : verbs()) {
    auto forms = verb.forms ? verb.forms() : std::vector<std::vector<std::string>>{{}};
    for (auto& form : forms) {
      const std::string sub = form.empty() || form[0].starts_with('-') ? "" : form[0];
      form.emplace_back("--help");
      CommandLine::instead_of_help = [&](const CommandLine& line) { commands.push_back({&verb, sub, line}); };
      verb.run(form);
      CommandLine::instead_of_help = nullptr;
    }
  }
  return commands;
}

Accepted accepted_by(std::string_view placeholder) {
  constexpr std::array<std::string_view, 9> kFiles = {"FILE", "DIR",  "TEXTS", "VECTORS",   "JOB.toml",
                                                      "DATA", "ROWS", "SET",   "CHECKPOINT"};
  Accepted accepted;
  for (const auto& part : parts_of(placeholder, '|')) {
    if (part == "RUN") accepted.runs = true;
    if (std::ranges::find(kFiles, part) != kFiles.end()) accepted.files = true;
    // Words are written small: N, cuda:N and 60s are not to be taken as they stand.
    const bool is_word = !part.empty() && part[0] >= 'a' && part[0] <= 'z' &&
                         std::ranges::none_of(part, [](char c) { return c >= 'A' && c <= 'Z'; });
    if (is_word) accepted.words.push_back(part);
  }
  return accepted;
}

std::vector<std::string> argument_placeholders(const Command& command) {
  std::vector<std::string> placeholders;
  const auto words = parts_of(command.line.usage(), ' ');
  for (size_t i = command.sub.empty() ? 1 : 2; i < words.size(); ++i) {
    if (words[i].starts_with("--")) {  // with its value, or that of another in its place: --a X|--b Y
      while (++i < words.size() && words[i].find("|--") != std::string::npos) {
      }
      continue;
    }
    std::string word = words[i];
    std::erase_if(word, [](char c) { return c == '[' || c == ']'; });
    if (word != "options" && !word.starts_with("--") && word != "…") placeholders.push_back(word);
  }
  return placeholders;
}

}  // namespace semblance
