#include "training/tune/tune.h"

#include <algorithm>
#include <cmath>
#include <csignal>
#include <memory>
#include <thread>

#include "data/io/byte_stream.h"
#include "data/io/folders.h"
#include "training/interrupt.h"
#include "training/run_training.h"
#include "training/tasks/registry.h"
#include "training/threads.h"
#include "training/tune/trial_process.h"

namespace semblance {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double kSecondsToEnd = 0.5;   // of a budget: kept back for the end
constexpr double kSecondsToStop = 0.5;  // that trials have to write a checkpoint when it has come

// What a process trains: on, where the run was begun. `given`, if not null, is set over defaults that follow
// from the data.
Json train_trial(const Job& job, const Json& given, const std::filesystem::path& run, int64_t stop_after,
                 std::optional<int64_t> threads, const Notice& notice) {
  RunRequest request{.run = RunFolder(run), .notice = notice, .stop_after = stop_after, .threads = threads};
  const auto& task = find_task(job.task());
  if (!request.run.exists()) {
    if (!given.is_null()) request.given = [&](Job& onto) { job_from_json(onto, given); };
    return task.train(job, request);
  }
  request.mode = RunMode::Resume;
  find_resume_point(request);
  const auto begun = task.make_job();
  stored_job_from_json(*begun, resumed_config(request));
  return task.train(*begun, request);
}

class Tuning {
 public:
  Tuning(const TuneFolder& folder, TuneState state, const Notice& notice, Clock::time_point begun)
      : folder_(folder),
        state_(std::move(state)),
        notice_(notice),
        begun_(begun),
        spent_before_(state_.spent),
        base_(make_job({})) {
    const int64_t own = base_->training.threads, all = available_threads();
    if (own == 0) threads_ = all;
    processes_ = state_.plan.processes > 0 ? state_.plan.processes
                                           : std::clamp<int64_t>(all / std::max<int64_t>(1, own), 1, 32);
  }

  Json run() {
    rebuild();
    folder_.make_trials();
    save();
    bool in_time = true;
    {
      const InterruptGuard guard;
      while (noted_signal() == 0 && (in_time = has_time()) && go_on()) {
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
        collect(/*last=*/false);
        stop_slow_ones();
      }
      stop_trials(/*last=*/noted_signal() == 0);
    }
    if (noted_signal() != 0) {
      save();
      notice_(fmt::format("interrupted; semblance resume {} goes on", folder_.path().string()));
      return report("interrupted", Json::object());
    }
    return finish(in_time ? "completed" : "budget");
  }

 private:
  struct Running {
    TrialStep step;
    std::unique_ptr<TrialProcess> process;
    double most_seconds = std::numeric_limits<double>::infinity();  // others wait for it
    bool stopped = false;
  };

  std::unique_ptr<Job> make_job(const SearchSpace::Values& values) const {
    auto job = find_task(text_in(state_.plan.job, "task")).make_job();
    job_from_json(*job, state_.plan.job);
    if (!values.empty()) space_->apply(values, *job);
    return job;
  }

  double spent() const {
    return spent_before_ + std::chrono::duration<double>(Clock::now() - begun_).count();
  }
  double seconds_left() const { return *state_.plan.seconds - kSecondsToEnd - spent(); }
  bool has_time() const { return !state_.plan.seconds || seconds_left() > 0; }

  void save() {
    state_.spent = spent();
    folder_.save(state_, table());
  }

  // Space and trials from the state.
  void rebuild() {
    base_ = make_job({});
    const auto& fixed = state_.plan.fixed;
    space_.emplace(*base_, [&](std::string_view section, std::string_view field) {
      return std::ranges::find(fixed, fmt::format("{}.{}", section, field)) == fixed.end();
    });
    halving_.emplace(
        *space_, [&](const SearchSpace::Values& values) { return make_job(values)->training.epochs; },
        static_cast<uint64_t>(base_->training.seed));
    size_t bracket = 0;
    for (const auto& [trial, result] : state_.results) {
      if (halving_->idle()) halving_->begin_bracket(state_.brackets.at(bracket++));
      halving_->report(trial, result);
    }
    if (halving_->idle() && bracket < state_.brackets.size())
      halving_->begin_bracket(state_.brackets.at(bracket));
  }

  // Seconds of a whole trial, by those so far.
  double seconds_of_trial() const {
    double seconds = 0, whole = 0;
    for (const auto& trial : halving_->trials()) {
      if (trial.result.epochs == 0) continue;
      seconds += trial.result.seconds;
      whole += static_cast<double>(trial.result.epochs) / static_cast<double>(trial.epochs);
    }
    // The first alone had all the threads.
    return seconds / whole * (halving_->trials().size() == 1 && processes_ > 1 ? 2 : 1);
  }

  int64_t next_bracket() const {
    const auto begun = static_cast<int64_t>(halving_->trials().size());
    if (begun == 0) return 1;
    if (space_->names().empty()) return 0;
    int64_t trials = state_.plan.seconds
                         ? bracket_size(*halving_, seconds_left(), seconds_of_trial(), processes_)
                         : std::numeric_limits<int64_t>::max();
    if (state_.plan.trials)
      trials = std::min({trials, *state_.plan.trials - begun,
                         *state_.plan.trials < 64 ? Halving::kKept * Halving::kKept : int64_t{27}});
    return trials;
  }

  // Starts what can be started. False if there is nothing left to do.
  bool go_on() {
    if (halving_->idle()) {
      if (!halving_->trials().empty()) folder_.remove_trials_but(halving_->best());
      const int64_t trials = next_bracket();
      if (trials <= 0) return false;
      halving_->begin_bracket(trials);
      state_.brackets.push_back(trials);
      save();
    }
    const auto at_once = std::min(processes_, static_cast<int64_t>(halving_->to_train()));
    while (static_cast<int64_t>(running_.size()) < processes_) {
      const auto step = halving_->next();
      if (!step) break;
      start(*step, threads_ ? std::optional(std::max<int64_t>(1, *threads_ / at_once)) : std::nullopt);
    }
    return true;
  }

  void start(const TrialStep& step, std::optional<int64_t> threads) {
    const std::shared_ptr<Job> job = make_job(halving_->trials()[step.trial].values);
    const auto work = [=, given = step.trial == 0 ? state_.plan.given : Json(),
                       run = folder_.trial(step.trial)](const Notice& notice) {
      return train_trial(*job, given, run, step.stop_after, threads, notice);
    };
    running_.push_back(
        {.step = step,
         .process = std::make_unique<TrialProcess>(work, folder_.answer(step.trial), folder_.log(step.trial)),
         .most_seconds = most_seconds(step)});
  }

  // A budget in seconds is not spent on the one trial that is many times as slow as the others.
  double most_seconds(const TrialStep& step) const {
    if (!state_.plan.seconds || step.trial == 0) return std::numeric_limits<double>::infinity();
    constexpr double kSlow = 4;
    const auto& trial = halving_->trials()[step.trial];
    const auto share =
        static_cast<double>(step.stop_after - trial.result.epochs) / static_cast<double>(trial.epochs);
    return std::max(1.0, kSlow * share * seconds_of_trial());
  }

  void stop_slow_ones() {
    for (auto& running : running_)
      if (!running.stopped && running.process->seconds() > running.most_seconds) {
        running.process->signal(SIGTERM);
        running.stopped = true;
      }
  }

  // Takes the results of those that ended; `last`: when no other will come.
  void collect(bool last) {
    for (auto& running : running_)
      if (const auto answer = running.process->answer()) {
        const double seconds = running.process->seconds();
        running.process.reset();
        take(running.step.trial, *answer, seconds, last, running.stopped);
      }
    std::erase_if(running_, [](const auto& running) { return !running.process; });
  }

  void take(size_t number, const TrialAnswer& answer, double seconds, bool last, bool slow) {
    TrialResult result = halving_->trials()[number].result;
    result.seconds += seconds;
    if (answer.code != 0 && !last && !slow) {
      check_failure(number, answer);
      if (first_error_.empty()) first_error_ = answer.error;
      result.status = answer.code == static_cast<int>(ErrorKind::Diverged) ? "diverged" : "failed";
      notice_(fmt::format("trial {}: {}: {}", number + 1, result.status, answer.error));
    } else if (answer.code == 0) {
      read(answer.report, result);
      if (!last && !std::isfinite(result.value) && number == 0)
        throw Error(ErrorKind::Usage,
                    "expected validation data, found none that {} is defined on; give more of it",
                    answer.report.value("metric", std::string("a measure")));
    }
    if (slow && !last && (result.status.empty() || result.status == "interrupted"))
      result.status = "too slow";
    if (last) {
      if (result.status.empty() || result.status == "interrupted") result.status = "out of time";
      halving_->amend(number, result);
    } else if (result.status == "interrupted") {
      return;  // by a signal to all: it goes on from there
    } else {
      state_.results.emplace_back(number, result);
      halving_->report(number, result);
      if (state_.results.size() == 1) take_defaults();
      save();
    }
    if (answer.code == 0) tell(number);
  }

  // Those that the first trial chose hold for all.
  void take_defaults() {
    const auto file = RunFolder(folder_.trial(0)).job_file();
    if (!is_file(file)) return;
    state_.plan.job = read_toml(file.string());
    rebuild();
  }

  void read(const Json& report, TrialResult& result) {
    result.epochs = whole_number_in(report, "epoch", 0, INT64_MAX);
    const auto stopped = text_in(report, "stopped");
    result.status = stopped == "paused" ? "" : stopped;
    if (!report.contains("valid")) return;
    state_.metric = text_in(report, "metric");
    result.higher_is_better = report.at("higher_is_better").get<bool>();
    const auto value = named_number(report["valid"], state_.metric),
               loss = named_number(report["valid"], "loss");
    result.value = value.is_number() ? value.get<double>() : NAN;
    result.loss = loss.is_number() ? loss.get<double>() : NAN;
  }

  // What has nothing to do with a trial's values ends the tuning: wrong input, and disks and devices that
  // fail.
  void check_failure(size_t number, const TrialAnswer& answer) {
    const auto kind = static_cast<ErrorKind>(answer.code);
    const bool wrong_input = kind == ErrorKind::Usage || kind == ErrorKind::Data;
    const bool elsewhere = kind == ErrorKind::Model || kind == ErrorKind::Device;
    if (!elsewhere && !(wrong_input && number == 0)) return;
    if (number == 0) leave_nothing();
    throw Error(kind, answer.error);
  }

  void leave_nothing() {
    running_.clear();
    folder_.clear();
  }

  void tell(size_t number) const {
    const auto& trial = halving_->trials()[number];
    std::string changed;
    for (size_t i = 0; i < space_->names().size(); ++i)
      if (trial.values[i] != space_->base()[i])
        changed += fmt::format("  {} {}", space_->names()[i], trial.values[i]);
    notice_(fmt::format("trial {}: {} {:.4f} after {} of {} epochs{}{}", number + 1,
                        state_.metric.empty() ? "no measure" : state_.metric, trial.result.value,
                        trial.result.epochs, trial.epochs, changed.empty() ? "  as given" : changed,
                        halving_->best() == number ? "  *" : ""));
  }

  void stop_trials(bool last) {
    for (const auto& running : running_) running.process->signal(SIGTERM);
    const auto patience = Clock::now() + std::chrono::duration<double>(last ? kSecondsToStop : 60);
    while (!running_.empty() && Clock::now() < patience) {
      collect(last);
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    for (const auto& running : running_) {
      TrialResult result = halving_->trials()[running.step.trial].result;
      result.seconds += running.process->seconds();
      result.status = "out of time";
      if (last) halving_->amend(running.step.trial, result);
    }
    running_.clear();
  }

  Json finish(const std::string& stopped) {
    const size_t winner = halving_->trials().empty() ? 0 : halving_->best();
    const RunFolder own(folder_.trial(winner));
    if (!first_error_.empty() && !std::isfinite(halving_->trials()[winner].result.value)) {
      leave_nothing();
      throw Error(ErrorKind::Diverged, "every trial failed, the first: {}", first_error_);
    }
    if (own.checkpoints().empty()) {
      leave_nothing();
      throw Error(ErrorKind::Usage,
                  "--budget: expected the time for a first checkpoint, found {:.3g} seconds; give more",
                  *state_.plan.seconds);
    }
    Json answer = Json::object();
    if (const auto file = folder_.answer(winner); is_file(file))
      answer = parse_json(read_file(file.string(), UINT64_MAX), file.string()).value("report", answer);
    RunFolder(folder_.path()).remove_run();
    state_.winner = winner;
    save();
    folder_.install(winner);
    return report(stopped, answer);
  }

  std::vector<size_t> best_first() const {
    const auto& trials = halving_->trials();
    std::vector<size_t> order(trials.size());
    for (size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::ranges::stable_sort(
        order, [&](size_t a, size_t b) { return is_better(trials[a].result, trials[b].result); });
    return order;
  }

  std::string table() const {
    std::string text = fmt::format("trial\tstatus\tepochs\tof\t{}\tloss\tseconds",
                                   state_.metric.empty() ? "measure" : state_.metric);
    for (const auto& name : space_->names()) text += "\t" + name;
    const auto number = [](double value) {
      return std::isfinite(value) ? fmt::format("{:.6f}", value) : std::string();
    };
    for (const size_t i : best_first()) {
      const auto& [values, epochs, result] = halving_->trials()[i];
      text += fmt::format("\n{}\t{}\t{}\t{}\t{}\t{}\t{:.2f}", i + 1, result.status, result.epochs, epochs,
                          number(result.value), number(result.loss), result.seconds);
      for (const auto& value : values) text += "\t" + value;
    }
    return text + "\n";
  }

  Json report(const std::string& stopped, const Json& winner) const {
    Json report = {{"task", state_.plan.job.at("task")},
                   {"run", folder_.path().string()},
                   {"stopped", stopped},
                   {"seconds", spent()},
                   {"metric", state_.metric},
                   {"trial", halving_->best() + 1}};
    for (const char* key : {"checkpoint", "epoch", "step", "valid", "test"})
      if (winner.contains(key)) report[key] = winner[key];
    auto& rows = report["trials"] = Json::array();
    for (const size_t i : best_first()) {
      const auto& [values, epochs, result] = halving_->trials()[i];
      Json row = {{"trial", i + 1},
                  {"status", result.status},
                  {"epochs", result.epochs},
                  {"of", epochs},
                  {"value", std::isfinite(result.value) ? Json(result.value) : Json()},
                  {"loss", std::isfinite(result.loss) ? Json(result.loss) : Json()},
                  {"seconds", result.seconds}};
      for (size_t v = 0; v < values.size(); ++v) row["options"][space_->names()[v]] = values[v];
      rows.push_back(std::move(row));
    }
    return report;
  }

  const TuneFolder& folder_;
  TuneState state_;
  Notice notice_;
  Clock::time_point begun_;
  double spent_before_;
  std::unique_ptr<Job> base_;
  std::optional<SearchSpace> space_;
  std::optional<Halving> halving_;
  std::optional<int64_t> threads_;  // for all of them; none: each has the job's
  int64_t processes_ = 1;
  std::vector<Running> running_;
  std::string first_error_;
};

}  // namespace

int64_t bracket_size(const Halving& halving, double seconds, double per_trial, int64_t processes) {
  // A large bracket only where others come after it, which begin with what it found.
  constexpr std::pair<int64_t, double> kSizes[] = {{27, 3}, {9, 1}, {3, 1}, {1, 1}};
  for (const auto& [trials, brackets] : kSizes)
    if (halving.duration(trials, processes) * per_trial * brackets <= seconds) return trials;
  return 0;
}

Json tune(const TuneFolder& folder, const TunePlan& plan, const Notice& notice, Clock::time_point begun) {
  const auto job = find_task(text_in(plan.job, "task")).make_job();
  job_from_json(*job, plan.job);
  if (!job->has_validation())
    throw Error(ErrorKind::Usage,
                "{}: expected a job that is validated, found one without; give --valid, a --split with a "
                "validation share or --held-out, whichever the task has",
                job->task());
  if (job->training.checkpoint_content != CheckpointContent::TrainingState)
    throw Error(ErrorKind::Usage,
                "--checkpoint-content: expected training-state, as trials are resumed, found {}",
                enum_name(job->training.checkpoint_content));
  make_folder(folder.path());
  const RunLock lock(folder.path());
  folder.clear();
  TuneState state;
  state.plan = plan;
  return Tuning(folder, std::move(state), notice, begun).run();
}

Json resume_tuning(const TuneFolder& folder, const Notice& notice, Clock::time_point begun) {
  const RunLock lock(folder.path());
  auto state = folder.load();
  if (state.winner) {  // killed while its run was put in its place
    folder.install(*state.winner);
    return {};
  }
  return Tuning(folder, std::move(state), notice, begun).run();
}

}  // namespace semblance
