// semblance resume RUN [--epochs N]
#include "apps/command_line.h"
#include "apps/output.h"
#include "apps/verbs.h"
#include "training/tasks/registry.h"

namespace semblance {

int run_resume(Arguments arguments) {
  CommandLine line("resume RUN [options]",
                   "Goes on with a training where its last complete checkpoint stands.");
  line.add_option("Options", "epochs", "N", "train to so many epochs in all instead of the job's");
  line.add_option("Options", "threads", "N", "threads to compute with; the result is the same");
  line.add_option("Options", "device", "auto|cpu|cuda|cuda:N", "go on elsewhere");
  line.add_flag("Options", "json", "print one JSON object");
  if (!line.parse(arguments)) return 0;
  const auto& given = line.positional(1, 1)[0];
  RunRequest request{.run = RunFolder(locate_run(given)),
                     .mode = RunMode::Resume,
                     .resume_point = {},
                     .notice = print_note,
                     .callbacks = {}};
  if (!request.run.exists())
    throw Error(ErrorKind::Model, "{}: expected a run folder, found neither job.toml nor a checkpoint in it",
                given);
  request.resume_point = find_resume_point(request.run, print_note);
  if (!request.resume_point)
    print_note(fmt::format("{}: no checkpoint was written yet; starting from the beginning", given));
  const Json config = request.resume_point ? request.resume_point->checkpoint.config
                                           : read_toml(request.run.job_file().string());
  const auto job = find_task(config.value("task", "")).make_job();
  job_from_json(*job, config);
  line.apply_fields(job->training);
  return train_and_report(*job, request, line.given("json"));
}

}  // namespace semblance
