// semblance train TASK --train FILE … --run DIR [options]
#include <filesystem>

#include "apps/command_line.h"
#include "apps/output.h"
#include "apps/verbs.h"
#include "training/interrupt.h"
#include "training/tasks/registry.h"

namespace semblance {
namespace {

// The first free folder checkpoints/TASK-1, -2, …
std::string default_run(std::string_view task) {
  for (int i = 1;; ++i) {
    auto path = fmt::format("checkpoints/{}-{}", task, i);
    if (!std::filesystem::exists(path)) return path;
  }
}

int train(const TaskKind& kind, Arguments arguments, const std::optional<std::string>& config) {
  const auto job = kind.make_job();
  if (config) job_from_json(*job, read_toml(*config));
  CommandLine line(fmt::format("train {} {} FILE --run DIR [options]", kind.name, kind.input),
                   "Trains, and writes a run folder.");
  line.add_option("Run", "run", "DIR", "folder to write", fmt::format("checkpoints/{}-N", kind.name));
  line.add_option("Run", "config", "JOB.toml", "take options from a job file; those given here override it");
  line.add_flag("Run", "overwrite", "replace a run that is in the folder already");
  line.add_flag("Run", "json", "print one JSON object");
  line.add_sections(*job);
  if (!line.parse(arguments)) return 0;
  line.positional(0, 0);
  line.apply_sections(*job);
  const auto give = [&](Job& onto) {
    if (config) job_from_json(onto, read_toml(*config));
    line.apply_sections(onto);
  };
  job->choose_defaults();
  give(*job);
  RunRequest request{.run = RunFolder(line.last("run").value_or(default_run(kind.name))),
                     .mode = line.given("overwrite") ? RunMode::Overwrite : RunMode::Fresh,
                     .notice = print_note,
                     .given = give};
  return train_and_report(*job, request, line.given("json"));
}

// The value of --config, which decides what the other options are.
std::optional<std::string> find_config(Arguments arguments) {
  std::optional<std::string> config;
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i].starts_with("--config=")) config = arguments[i].substr(9);
    if (arguments[i] == "--config" && i + 1 < arguments.size()) config = arguments[i + 1];
  }
  return config;
}

}  // namespace

int train_and_report(const Job& job, RunRequest& request, bool as_json) {
  request.callbacks.push_back(std::make_unique<Progress>());
  const Json report = find_task(job.task()).train(job, request);
  if (as_json) {
    print_out(json_line(report) + "\n");
  } else {
    for (const char* part : {"valid", "test"})
      if (report.contains(part))
        print_out(fmt::format("{} ({})\n{}\n", part, report["checkpoint"].get<std::string>(),
                              metrics_table(report[part])));
    print_out(fmt::format("run     {0}\ncurves  {0}/curves.svg\n", request.run.path().string()));
  }
  return report["stopped"] == "interrupted" ? 128 + noted_signal() : 0;
}

int run_train(Arguments arguments) {
  const auto config = find_config(arguments);
  const bool named = !arguments.empty() && !arguments[0].starts_with('-');
  if (!named && !config) {
    for (const auto& argument : arguments)
      if (argument == "--help" || argument == "-h") {
        print_out(
            fmt::format("Usage: semblance train TASK [options]      TASK: {}\n       semblance train "
                        "--config JOB.toml [options]\n\n"
                        "semblance train TASK --help lists a task's options.\n",
                        task_names()));
        return 0;
      }
    throw Error(ErrorKind::Usage,
                "expected: semblance train TASK [options] with TASK one of {}, or --config JOB.toml",
                task_names());
  }
  std::string task = named ? arguments[0] : "";
  if (config) {
    const Json json = read_toml(*config);
    const auto found = json.find("task");
    if (found == json.end() || !found->is_string())
      throw Error(ErrorKind::Usage, "{}: expected task = \"…\", one of {}", *config, task_names());
    if (named && *found != task)
      throw Error(ErrorKind::Usage, "{}: expected a {} job, found one of {}", *config, task,
                  found->get<std::string>());
    task = *found;
  }
  return train(find_task(task), named ? arguments.subspan(1) : arguments, config);
}

}  // namespace semblance
