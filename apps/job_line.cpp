#include "apps/job_line.h"

#include "apps/output.h"

namespace semblance {
namespace {

// The value of --config, which decides what the other options are.
std::optional<std::string> find_config(Arguments arguments) {
  std::optional<std::string> config;
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i].starts_with("--config=")) config = arguments[i].substr(9);
    if (arguments[i] == "--config" && i + 1 < arguments.size()) config = arguments[i + 1];
  }
  return config;
}

std::string task_of(const Json& config, const std::string& file, const std::string& named) {
  const auto found = config.find("task");
  if (found == config.end() || !found->is_string())
    throw Error(ErrorKind::Usage, "{}: expected task = \"…\", one of {}", file, task_names());
  if (!named.empty() && *found != named)
    throw Error(ErrorKind::Usage, "{}: expected a {} job, found one of {}", file, named,
                found->get<std::string>());
  return *found;
}

}  // namespace

bool JobLine::gives(std::string_view section, std::string_view field) const {
  const auto found = config.find(std::string(section));
  return line.given(field) || (found != config.end() && found->contains(std::string(field)));
}

void JobLine::give(Job& onto) const {
  if (!config.is_null()) job_from_json(onto, config);
  line.apply_sections(onto);
}

std::optional<int64_t> epochs_given(const CommandLine& line, std::string_view option) {
  const auto text = line.last(option);
  return text ? std::optional(parse_integer(*text, option, {.min = 1})) : std::nullopt;
}

std::optional<JobLine> read_job_line(Arguments arguments, const TrainingVerb& verb) {
  const auto file = find_config(arguments);
  const bool named = !arguments.empty() && !arguments[0].starts_with('-');
  if (!named && !file) {
    for (const auto& argument : arguments)
      if (argument == "--help" || argument == "-h") {
        print_out(
            fmt::format("Usage: semblance {0} TASK [options]      TASK: {1}\n       semblance {0} "
                        "--config JOB.toml [options]\n\n{2}\n\n"
                        "semblance {0} TASK --help lists a task's options.\n",
                        verb.name, task_names(), verb.description));
        return std::nullopt;
      }
    throw Error(ErrorKind::Usage,
                "expected: semblance {} TASK [options] with TASK one of {}, or --config JOB.toml", verb.name,
                task_names());
  }
  std::string task = named ? arguments[0] : "";
  const Json config = file ? read_toml(*file) : Json();
  if (file) task = task_of(config, *file, task);

  const auto& kind = find_task(task);
  auto job = kind.make_job();
  if (file) job_from_json(*job, config);
  CommandLine line(fmt::format("{} {} {} FILE {}", verb.name, kind.name, kind.input, verb.options),
                   std::string(verb.description));
  verb.add_options(line, kind);
  line.add_option("Run", "config", "JOB.toml", "take options from a job file; those given here override it");
  line.add_flag("Run", "overwrite", "replace a run that is in the folder already");
  line.add_flag("Run", "json", "print one JSON object");
  line.add_sections(*job);
  if (!line.parse(named ? arguments.subspan(1) : arguments)) return std::nullopt;
  line.positional(0, 0);
  line.apply_sections(*job);
  job->choose_defaults();
  JobLine given{.kind = &kind, .line = std::move(line), .config = config, .job = std::move(job)};
  given.give(*given.job);
  return given;
}

}  // namespace semblance
