// semblance tune TASK --train FILE … --budget 60s|--trials N --run DIR [options]
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <ctime>
#include <fstream>

#include "apps/job_line.h"
#include "apps/output.h"
#include "apps/verbs.h"
#include "data/io/line_reader.h"
#include "training/interrupt.h"
#include "training/rank_place.h"
#include "training/tune/tune.h"

namespace semblance {
namespace {

void add_options(CommandLine& line, const TaskKind&) {
  line.add_option("Budget", "budget", "60s|5min|2h", "time in all, kept to the step");
  line.add_option("Budget", "trials", "N", "trials in all; a --seed then fixes what they are and find");
  line.add_option("Budget", "processes", "N", "trials to train at once", "one for each CPU, 32 at most");
  line.add_option("Run", "run", "DIR", "folder to write: the winner's run, and the table trials.tsv");
}

// When this process began, which was before it had loaded its libraries.
std::chrono::steady_clock::time_point process_start() {
  using Clock = std::chrono::steady_clock;
  const auto now = Clock::now();
  std::ifstream file("/proc/self/stat");
  std::string text;
  std::getline(file, text);
  const auto words = split_blanks(std::string_view(text).substr(std::min(text.rfind(')') + 1, text.size())));
  constexpr size_t kStart = 19;  // the 22nd word of all, in ticks since the machine began
  if (words.size() <= kStart) return now;
  timespec up{};
  clock_gettime(CLOCK_BOOTTIME, &up);
  const double age = static_cast<double>(up.tv_sec) + 1e-9 * static_cast<double>(up.tv_nsec) -
                     std::stod(std::string(words[kStart])) / static_cast<double>(sysconf(_SC_CLK_TCK));
  if (!(age > 0 && age < 60)) return now;
  return now - std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(age));
}

double parse_budget(const std::string& text) {
  double count = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, status] = std::from_chars(text.data(), end, count);
  const std::string_view unit(stop, end);
  if (status == std::errc() && count > 0 && count < 1e7) {
    if (unit == "s") return count;
    if (unit == "min") return 60 * count;
    if (unit == "h") return 3600 * count;
  }
  throw Error(ErrorKind::Usage, "--budget: expected a time with a unit (60s, 5min, 2h), found '{}'", text);
}

// Whether a job file says of a field what it would be anyway, as a run's job.toml does of most.
bool is_default(const JobLine& given, const std::string& section, const std::string& field) {
  const auto plain = given.kind->make_job(), chosen = given.kind->make_job();
  job_from_json(*chosen, given.config);
  chosen->choose_defaults();
  const Json value = job_to_json(*given.job)[section][field];
  return value == job_to_json(*plain)[section][field] || value == job_to_json(*chosen)[section][field];
}

TunePlan plan_of(const JobLine& given) {
  TunePlan plan;
  plan.job = job_to_json(*given.job);
  plan.given = Json::object();
  for (const auto& [section, values] : plan.job.items()) {
    if (!values.is_object()) continue;
    for (const auto& [field, value] : values.items()) {
      if (!given.gives(section, field)) continue;
      plan.given[section][field] = value;
      if (given.line.given(field) || !is_default(given, section, field))
        plan.fixed.push_back(fmt::format("{}.{}", section, field));
    }
  }
  if (const auto budget = given.line.last("budget")) plan.seconds = parse_budget(*budget);
  if (const auto trials = given.line.last("trials"))
    plan.trials = parse_integer(*trials, "trials", {.min = 1, .max = 1e6});
  if (!plan.seconds && !plan.trials)
    throw Error(ErrorKind::Usage, "expected --budget or --trials, which tell when to stop, found neither");
  if (const auto processes = given.line.last("processes"))
    plan.processes = parse_integer(*processes, "processes", {.min = 1, .max = 1024});
  return plan;
}

std::string cell(const Json& value) {
  if (value.is_null()) return "-";
  return value.is_string() ? value.get<std::string>() : fmt::format("{:.4f}", value.get<double>());
}

// Names and values of what is searched.
std::vector<std::pair<std::string, std::string>> options_of(const Json& trial) {
  std::vector<std::pair<std::string, std::string>> options;
  if (const auto found = trial.find("options"); found != trial.end())
    for (const auto& [name, value] : found->items()) options.emplace_back(name, value.get<std::string>());
  return options;
}

void print_trials(const Json& report) {
  constexpr size_t kMost = 10;
  const auto& trials = report["trials"];
  std::vector<std::vector<std::string>> rows = {{"trial", "status", "epochs"}};
  rows[0].push_back(report["metric"].get<std::string>());
  rows[0].emplace_back("seconds");
  for (const auto& [name, value] : options_of(trials[0])) rows[0].push_back(name);
  for (const auto& trial : trials) {
    if (rows.size() > kMost) break;
    rows.push_back({fmt::format("{}", trial["trial"].get<int64_t>()), cell(trial["status"]),
                    fmt::format("{}/{}", trial["epochs"].get<int64_t>(), trial["of"].get<int64_t>()),
                    cell(trial["value"]), fmt::format("{:.1f}", trial["seconds"].get<double>())});
    for (const auto& [name, value] : options_of(trial)) rows.back().push_back(value);
  }
  print_out("\n" + align(rows));
  if (trials.size() > kMost)
    print_out(fmt::format("… and {} more trials ({}/trials.tsv has them all)\n", trials.size() - kMost,
                          report["run"].get<std::string>()));
}

}  // namespace

int report_tuning(const Json& report, bool as_json) {
  if (as_json) {
    print_out(json_line(report) + "\n");
  } else if (report["stopped"] != "interrupted") {
    print_measures(report);
    print_out(fmt::format("run     {0}\njob     {0}/job.toml\n", report["run"].get<std::string>()));
    print_trials(report);
  }
  return report["stopped"] == "interrupted" ? 128 + noted_signal() : 0;
}

int run_tune(Arguments arguments) {
  const auto given = read_job_line(
      arguments,
      {.name = "tune",
       .options = "--budget 60s|--trials N --run DIR [options]",
       .description =
           "Finds the best job within a budget, by the validation's --metric, and leaves its run in DIR.\n"
           "What is given here or in --config stays as it is; of the rest, learning rate, epochs and\n"
           "whatever else makes a difference are searched. The first trial is the job as given. A trial\n"
           "that looks worse than others ends early. semblance resume DIR goes on with a tuning that was\n"
           "killed.",
       .add_options = add_options});
  if (!given) return 0;
  expect_alone("tune");
  const auto plan = plan_of(*given);
  const auto run = given->line.last("run");
  if (!run) throw Error(ErrorKind::Usage, "expected --run, the folder of the winner, found none");
  const TuneFolder folder{*run};
  folder.check_free(given->mode() == RunMode::Overwrite);
  return report_tuning(tune(folder, plan, print_note, process_start()), given->line.given("json"));
}

}  // namespace semblance
