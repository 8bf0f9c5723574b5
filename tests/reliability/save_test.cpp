// A training, and one that is resumed, with each fault at each of their steps: what resume finds after it,
// and that it ends with the bytes of a training that nothing happened to.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/reliability/faulty_file_system.h"
#include "tests/temporary_folder.h"
#include "training/tasks/registry.h"

namespace semblance {
namespace {

namespace fs = std::filesystem;

std::unique_ptr<Job> make_job() {
  auto job = find_task("trigram").make_job();
  job_from_json(*job, {{"data", {{"vectors", SEMBLANCE_FIXTURES "/words.vec"}, {"held-out", 0.3}}},
                       {"training",
                        {{"epochs", 2},
                         {"batch-size", 16},
                         {"weight-decay", 0.0},
                         {"keep-last", 1},
                         {"threads", 1},
                         {"tensorboard", false}}}});
  return job;
}

// As the program does: `resume` where a run was begun, else `train`. Returns the step that it went on from.
std::string train_or_resume(const fs::path& folder, FileSystem& disk) {
  const StandInFileSystem stand_in(disk);
  RunRequest request{.run = RunFolder(folder), .notice = [](const std::string&) {}};
  if (request.run.exists()) {
    request.mode = RunMode::Resume;
    find_resume_point(request);
    resumed_config(request);
  }
  const auto from = request.resume_point ? request.resume_point->name : "";
  find_task("trigram").train(*make_job(), request);
  return from;
}

std::string train_or_resume(const fs::path& folder) {
  FaultyFileSystem sound(folder.string(), Fault::None, 0);
  return train_or_resume(folder, sound);
}

void check(const fs::path& begun, Fault fault) {
  const TemporaryFolder whole_folder;
  const auto whole_path = whole_folder / "run";
  if (!begun.empty()) fs::copy(begun, whole_path, fs::copy_options::recursive);
  train_or_resume(whole_path);
  const auto whole = content_of(whole_path.string());
  int64_t struck = 0;
  for (int64_t at = 1;; ++at) {
    const TemporaryFolder folder;
    const auto run = folder / "run";
    if (!begun.empty()) fs::copy(begun, run, fs::copy_options::recursive);
    const auto before = RunFolder(run).checkpoints();
    FaultyFileSystem disk(run.string(), fault, at);
    bool failed = false;
    try {
      train_or_resume(run, disk);
    } catch (const Error& error) {
      failed = true;
      EXPECT_EQ(error.kind(), ErrorKind::Model) << error.what();
    }
    if (disk.steps() < at) break;
    if (!disk.struck()) continue;
    ++struck;
    const auto where = fmt::format("{} at step {}: {}", name_of(fault), at, disk.struck_step());
    if (fault == Fault::ShortWrite) {
      EXPECT_FALSE(failed) << where;
      EXPECT_EQ(content_of(run.string()), whole) << where;
      continue;
    }
    // At most the work since the last checkpoint that was done is lost.
    auto safe = before;
    for (const auto& name : disk.durable())
      if (RunFolder::checkpoint_step(name) >= 0) safe.push_back(name);
    const auto from = train_or_resume(run);
    EXPECT_TRUE(safe.empty() || RunFolder::checkpoint_step(from) >= RunFolder::checkpoint_step(safe.back()))
        << where;
    auto found = content_of(run.string());
    std::erase_if(found, [](const auto& file) { return file.first.find(kDamagedEnd) != std::string::npos; });
    EXPECT_TRUE(found == whole) << where;
    if (testing::Test::HasFailure()) return;
  }
  EXPECT_GT(struck, fault == Fault::ShortWrite ? 10 : 20);
  testing::Test::RecordProperty("faults", std::to_string(struck));
}

class EveryStep : public testing::TestWithParam<Fault> {};

INSTANTIATE_TEST_SUITE_P(Faults, EveryStep,
                         testing::Values(Fault::ShortWrite, Fault::DiskFull, Fault::BadDisk,
                                         Fault::NoMoreFiles, Fault::CrashBefore, Fault::CrashAfter,
                                         Fault::PowerLossBefore, Fault::PowerLossAfter),
                         [](const auto& tested) {
                           std::string name = name_of(tested.param);
                           std::ranges::replace(name, ' ', '_');
                           return name;
                         });

TEST_P(EveryStep, OfATrainingLosesNoMoreThanSinceItsLastCheckpoint) {
  check({}, GetParam());
}

TEST_P(EveryStep, OfAResumedTrainingLosesNoMoreThanSinceItsLastCheckpoint) {
  const TemporaryFolder folder;
  const auto begun = folder / "begun";
  // Killed in the second epoch: the checkpoint of the first is there.
  struct Killed : Callback {
    void on_epoch(TrainerCore& trainer) override {
      if (trainer.state().epoch == 2) throw std::runtime_error("killed");
    }
  };
  RunRequest request{.run = RunFolder(begun), .notice = [](const std::string&) {}};
  request.callbacks.push_back(std::make_unique<Killed>());
  EXPECT_THROW(find_task("trigram").train(*make_job(), request), std::runtime_error);
  request.lock.reset();
  ASSERT_EQ(RunFolder(begun).checkpoints().size(), 1u);
  check(begun, GetParam());
}

}  // namespace
}  // namespace semblance
