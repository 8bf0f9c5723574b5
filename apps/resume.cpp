// semblance resume RUN [--epochs N]
#include <chrono>
#include <filesystem>
#include <optional>

#include "apps/job_line.h"
#include "apps/output.h"
#include "apps/verbs.h"
#include "data/io/folders.h"
#include "training/join_ranks.h"
#include "training/serving/served_model.h"
#include "training/tasks/registry.h"
#include "training/tune/tune.h"

namespace semblance {
namespace {

namespace fs = std::filesystem;

// Goes where the job's inputs are: here, or in the run's folder or one around that.
void go_where_inputs_are(const Job& job, fs::path& given, const Notice& notice) {
  const auto missing = missing_input(job, ".");
  if (!missing) return;
  const auto folder = folder_of_inputs(job, given);
  if (!folder)
    throw Error(ErrorKind::Data,
                "{}: --{}: expected {} in {} or around the run, found none; resume in the folder where the "
                "training began",
                (given / "job.toml").string(), missing->first, missing->second, fs::current_path().string());
  notice(fmt::format("the inputs are taken from {}", folder->string()));
  given = fs::absolute(given).lexically_normal();
  fs::current_path(*folder);
}

// Goes on with a tuning, if that is what the folder holds.
std::optional<int> resume_if_tuning(fs::path run, bool as_json) {
  const auto begun = std::chrono::steady_clock::now();
  const TuneFolder folder(run);
  if (!folder.is_unfinished()) return std::nullopt;
  expect_alone("tune");
  const Json config = folder.load().plan.job;
  const auto job = find_task(text_in(config, "task")).make_job();
  job_from_json(*job, config);
  go_where_inputs_are(*job, run, print_note);
  const Json report = resume_tuning(TuneFolder(run), print_note, begun);
  return report.empty() ? std::nullopt : std::optional(report_tuning(report, as_json));
}

}  // namespace

int resume_run(RunRequest& request, const std::function<void(TrainerOptions&)>& change, bool as_json) {
  const auto given = request.run.path().string();
  if (!request.run.exists())
    throw Error(ErrorKind::Model, "{}: expected a run folder, found neither job.toml nor a checkpoint in it",
                given);
  find_resume_point(request);
  if (!request.resume_point)
    request.notice(fmt::format("{}: no checkpoint was written yet; starting from the beginning", given));
  const Json config = resumed_config(request);
  std::unique_ptr<Job> job;
  build_model(request.run.path().string(), [&] {
    job = find_task(text_in(config, "task")).make_job();
    stored_job_from_json(*job, config);
  });
  change(job->training);
  fs::path run = request.run.path();
  go_where_inputs_are(*job, run, request.notice);
  request.run = RunFolder(run);
  return train_and_report(*job, request, as_json);
}

int run_resume(Arguments arguments) {
  CommandLine line("resume RUN [options]",
                   "Goes on with a training where its last complete checkpoint stands, or with a tuning.");
  line.add_option("Options", "epochs", "N", "train to so many epochs in all instead of the job's");
  line.add_option("Options", "patience", "N",
                  "wait so many epochs for a better one instead of the job's; 0: to the end");
  line.add_option("Options", "threads", "N", "threads to compute with; the result is the same");
  line.add_option("Options", "device", "auto|cpu|cuda|cuda:N", "go on elsewhere");
  line.add_option("Options", "stop-after", "N", "end after N epochs in all, to be resumed once more");
  line.add_flag("Options", "json", "print one JSON object");
  if (!line.parse(arguments)) return 0;
  const auto& given = line.positional(1, 1)[0];
  if (const auto code = resume_if_tuning(locate_run(given), line.given("json"))) return *code;
  const JoinedRanks joined(versions());
  RunRequest request{.run = RunFolder(locate_run(given)),
                     .mode = RunMode::Resume,
                     .notice = notice_of_first(),
                     .stop_after = epochs_given(line, "stop-after")};
  return resume_run(
      request, [&](TrainerOptions& options) { line.apply_fields(options); }, line.given("json"));
}

}  // namespace semblance
