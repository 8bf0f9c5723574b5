// The verbs. Each takes the arguments after its name and returns the exit code; errors are thrown.
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <vector>

#include "data/notice.h"

namespace semblance {

struct Job;
struct RunRequest;
struct TrainerOptions;

using Arguments = std::span<const std::string>;

struct Verb {
  const char* name;
  int (*run)(Arguments);
  const char* help;
  /// What its arguments begin with, for each of the command lines that it has; null where it has one alone.
  std::vector<std::vector<std::string>> (*forms)() = nullptr;
};

constexpr const char* kProgramDescription =
    "Trains, resumes, evaluates and serves small text-embedding models.";

/// All of them, in the order that --help lists.
std::span<const Verb> verbs();

int run_train(Arguments arguments);
int run_tune(Arguments arguments);
int run_resume(Arguments arguments);
int run_evaluate(Arguments arguments);
int run_predict(Arguments arguments);
int run_encode(Arguments arguments);
int run_search(Arguments arguments);
int run_inspect(Arguments arguments);
int run_export(Arguments arguments);
int run_report(Arguments arguments);
int run_tokens(Arguments arguments);
int run_vectors(Arguments arguments);
int run_version(Arguments arguments);
int run_completion(Arguments arguments);
int run_manual(Arguments arguments);

std::vector<std::vector<std::string>> evaluate_forms();
std::vector<std::vector<std::string>> vectors_forms();

/// Prints the report of a tuning; shared by tune and resume. Returns the exit code.
int report_tuning(const nlohmann::ordered_json& report, bool as_json);
/// Of the program, of LibTorch and of the instructions that it uses.
std::string versions();
/// What takes lines for people: of several processes rank 0's alone prints them.
Notice notice_of_first();
/// Trains and prints the final report; shared by train and resume. Returns the exit code.
int train_and_report(const Job& job, RunRequest& request, bool as_json);
/// Goes on with the run of `request`, whose options `change` may change; shared by resume and train.
int resume_run(RunRequest& request, const std::function<void(TrainerOptions&)>& change, bool as_json);

}  // namespace semblance
