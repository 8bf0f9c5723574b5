// semblance train TASK --train FILE … --run DIR [options]
#include <filesystem>

#include "apps/job_line.h"
#include "apps/output.h"
#include "apps/verbs.h"
#include "training/interrupt.h"
#include "training/join_ranks.h"
#include "training/threads.h"

namespace semblance {
namespace {

// The first free folder checkpoints/TASK-1, -2, …
std::string default_run(std::string_view task) {
  for (int i = 1;; ++i) {
    auto path = fmt::format("checkpoints/{}-{}", task, i);
    if (!std::filesystem::exists(path)) return path;
  }
}

void add_options(CommandLine& line, const TaskKind& kind) {
  line.add_option("Run", "run", "DIR", "folder to write", fmt::format("checkpoints/{}-N", kind.name));
  line.add_option("Run", "stop-after", "N",
                  "end after N of the --epochs, to be resumed: unlike fewer epochs, the schedule stays");
}

}  // namespace

Notice notice_of_first() {
  if (this_rank() > 0) return [](const std::string&) {};
  return print_note;
}

int train_and_report(const Job& job, RunRequest& request, bool as_json) {
  if (const auto place = rank_place()) {
    if (job.training.threads == 0)
      request.threads = std::max<int64_t>(1, available_threads() / place->local_size);
    request.notice(fmt::format("{} processes train together", place->size));
  }
  const bool tells = this_rank() == 0;
  if (tells) request.callbacks.push_back(std::make_unique<Progress>());
  Json report = find_task(job.task()).train(job, request);
  if (ranks()) report["communication_seconds"] = ranks()->seconds();
  if (!tells) {
  } else if (as_json) {
    print_out(json_line(report) + "\n");
  } else {
    print_measures(report);
    print_out(fmt::format("run     {0}\ncurves  {0}/curves.svg\n", request.run.path().string()));
  }
  return report["stopped"] == "interrupted" ? 128 + noted_signal() : 0;
}

int run_train(Arguments arguments) {
  const auto given = read_job_line(arguments, {.name = "train",
                                               .options = "--run DIR [options]",
                                               .description = "Trains, and writes a run folder.",
                                               .add_options = add_options});
  if (!given) return 0;
  const auto place = rank_place();
  if (place && !given->line.last("run"))
    throw Error(ErrorKind::Usage,
                "expected --run, the folder that {} processes train in together, found none", place->size);
  const JoinedRanks joined(versions());
  RunRequest request{.run = RunFolder(given->line.last("run").value_or(default_run(given->kind->name))),
                     .mode = given->mode(),
                     .notice = notice_of_first(),
                     .given = [&](Job& onto) { given->give(onto); },
                     .stop_after = epochs_given(given->line, "stop-after")};
  // Begun anew by torchrun: with what there is.
  if (place && place->restarts > 0 && request.run.exists()) {
    request.mode = RunMode::Resume;
    return resume_run(request, [](TrainerOptions&) {}, given->line.given("json"));
  }
  return train_and_report(*given->job, request, given->line.given("json"));
}

}  // namespace semblance
