#include "training/run_folder.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "data/error.h"
#include "data/io/file_system.h"
#include "tests/temporary_folder.h"
#include "training/run_lock.h"

namespace semblance {
namespace {

namespace fs = std::filesystem;

const Notice kNobody = [](const std::string&) {};

void touch(const fs::path& path) {
  fs::create_directories(path.parent_path());
  std::ofstream(path) << "x";
}

// All that a run writes, and what a killed one leaves.
constexpr const char* kOwn[] = {"metrics.tsv",
                                "curves.svg",
                                "LAST",
                                "BEST",
                                "step-00000010/manifest.json",
                                "step-123456789/manifest.json",
                                "events.out.tfevents.1.host.2.semblance"};
constexpr const char* kLeftovers[] = {"step-00000020.tmp/model.safetensors",
                                      "step-00000010.old.tmp/manifest.json", "LAST.semblance-0aZ9bY.tmp",
                                      "metrics.tsv.semblance-000000.tmp", "job.toml.semblance-zzzzzz.tmp"};
// What somebody may keep in the same folder.
constexpr const char* kForeign[] = {"notes.txt",
                                    "notes.tmp",
                                    "LAST.tmp",
                                    "drafts.tmp/draft",
                                    "step-by-step.txt",
                                    "step-10/notes",
                                    "step-00000030",
                                    "step-00000040.tmp",
                                    "step-0000005x.tmp/notes",
                                    "notes.semblance-000000.tmp",
                                    "events.out.tfevents.1.host.2",
                                    "metrics.tsv.orig"};

template <size_t N>
void touch_all(const RunFolder& run, const char* const (&names)[N]) {
  for (const char* name : names) touch(run.path() / name);
}

template <size_t N>
void expect_there(const RunFolder& run, const char* const (&names)[N], bool there) {
  for (const char* name : names) EXPECT_EQ(fs::exists(run.path() / name), there) << name;
}

template <class Call>
void expect_usage_error(Call call) {
  try {
    call();
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::Usage);
  }
}

TEST(RunFolder, RefusesAnOldRunUnlessToldToOverwrite) {
  const TemporaryFolder folder;
  RunFolder run(folder / "run");
  run.create("task = \"a\"\n", false);
  expect_usage_error([&] { run.create("", false); });
  touch_all(run, kOwn);
  touch_all(run, kLeftovers);
  touch_all(run, kForeign);
  run.create("task = \"b\"\n", true);
  EXPECT_TRUE(run.checkpoints().empty());
  expect_there(run, kOwn, false);
  expect_there(run, kLeftovers, false);
  expect_there(run, kForeign, true);
  std::string job;
  std::getline(std::ifstream(run.job_file()), job);
  EXPECT_EQ(job, "task = \"b\"");
}

TEST(RunFolder, RefusesAFolderOfSomebodysFilesWhateverItIsTold) {
  const TemporaryFolder folder;
  for (const bool overwrite : {false, true})
    for (const char* name : kForeign) {
      RunFolder run(folder / (std::string("of ") + fs::path(name).begin()->string()));
      touch(run.path() / name);
      expect_usage_error([&] { run.create("", overwrite); });
      expect_usage_error([&] { run.check_free(overwrite); });
      EXPECT_TRUE(fs::exists(run.path() / name));
      EXPECT_FALSE(fs::exists(run.job_file()));
    }
  RunFolder run(folder / "own");
  touch(run.path() / "metrics.tsv");
  expect_usage_error([&] { run.create("", true); });
}

TEST(RunFolder, WhatAKilledFirstStartLeftIsNoObstacle) {
  const TemporaryFolder folder;
  RunFolder run(folder.path());
  touch_all(run, kLeftovers);
  EXPECT_FALSE(run.exists());
  run.create("task = \"a\"\n", false);
  expect_there(run, kLeftovers, false);
  EXPECT_TRUE(run.exists());
}

// R3
TEST(RunFolder, ADamagedCheckpointSetAsideIsLeftAloneUntilTheRunIsOverwritten) {
  const TemporaryFolder folder;
  RunFolder run(folder.path());
  run.create("", false);
  for (const char* content : {"manifest.json", "model.safetensors"}) {
    touch(run.path() / "step-00000010" / content);
    EXPECT_EQ(run.set_aside("step-00000010"), "step-00000010.damaged");
    EXPECT_TRUE(fs::exists(folder.path() / "step-00000010.damaged" / content)) << "the later one stays";
  }
  EXPECT_TRUE(run.checkpoints().empty());
  run.remove_leftovers();
  EXPECT_TRUE(fs::exists(folder / "step-00000010.damaged"));
  run.create("", true);
  EXPECT_FALSE(fs::exists(folder / "step-00000010.damaged"));
}

TEST(RunFolder, LeftoversAreOnesOwn) {
  const TemporaryFolder folder;
  RunFolder run(folder.path());
  run.create("", false);
  touch_all(run, kOwn);
  touch_all(run, kLeftovers);
  touch_all(run, kForeign);
  run.remove_leftovers();
  expect_there(run, kOwn, true);
  expect_there(run, kLeftovers, false);
  expect_there(run, kForeign, true);
  EXPECT_EQ(run.checkpoints(), (std::vector<std::string>{"step-00000010", "step-123456789"}));
}

TEST(RunFolder, AFailedStartLeavesNothing) {
  const TemporaryFolder folder;
  RunFolder run(folder.path());
  fs::create_directory(run.path() / "job.toml.semblance-zzzzzz.tmp");  // a folder is no leftover
  expect_usage_error([&] { run.create("", false); });
  fs::remove(run.path() / "job.toml.semblance-zzzzzz.tmp");
  touch(run.path() / "step-00000010" / "manifest.json");
  fs::create_directory(run.job_file());
  EXPECT_THROW(run.create("", true), Error);
  EXPECT_TRUE(fs::exists(run.path() / "step-00000010")) << "before the old run goes, the new one is written";
}

// S5
TEST(RunFolder, APointerNamesACheckpointOfTheRunOrIsRefused) {
  const TemporaryFolder folder;
  RunFolder run(folder / "run");
  touch(run.path() / "step-00000001" / "manifest.json");
  touch(run.path() / "step-00000002" / "manifest.json");
  touch(folder / "elsewhere" / "step-00000001" / "manifest.json");
  const auto refused = [&](const std::string& content, const char* found) {
    std::ofstream(run.path() / "BEST") << content;
    try {
      run.resolve("best", kNobody);
      ADD_FAILURE() << content;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::Model);
      EXPECT_NE(std::string(error.what()).find(found), std::string::npos) << error.what();
    }
  };
  refused("../..\n", "found '../..'");
  refused("../elsewhere/step-00000001\n", "found '../elsewhere");
  refused((folder / "elsewhere" / "step-00000001").string(), "found '/");
  refused("step-00000003\n", "step-00000003, which is not there");
  refused("", "found nothing");
  refused("\n", "found nothing");
  refused(std::string(3 << 20, 'x'), "at most 1 MiB");
  fs::remove(run.path() / "BEST");
  fs::create_directory(run.path() / "BEST");
  refused("", "found a folder");
  fs::remove(run.path() / "BEST");
  ASSERT_EQ(::mkfifo((run.path() / "BEST").c_str(), 0600), 0);
  EXPECT_THROW(run.best(), Error) << "nobody waits for a pipe";
  EXPECT_THROW(run.set_best("step-00000001"), Error);
  EXPECT_EQ(run.resolve("step-00000001", kNobody), "step-00000001");
  fs::remove(run.path() / "BEST");
  run.set_best("step-00000001");
  EXPECT_EQ(run.resolve("best", kNobody), "step-00000001");
  run.set_best("");
  EXPECT_FALSE(fs::exists(run.path() / "BEST"));
}

// S5
TEST(RunFolder, WhatAMissingPointerWouldSayIsToldFromTheCheckpoints) {
  const TemporaryFolder folder;
  RunFolder run(folder.path());
  Checkpoint checkpoint;
  const auto write = [&](const char* name, const char* best) {
    checkpoint.training.callbacks = {{kCheckpointsKey, {{"best", best}, {"best_value", 0.5}}}};
    write_checkpoint(run.checkpoint_path(name), checkpoint);
  };
  std::string told;
  const Notice listen = [&](const std::string& line) { told += line; };
  write("step-00000001", "step-00000001");
  write("step-00000002", "step-00000001");
  EXPECT_EQ(run.resolve("last", listen), "step-00000002");
  EXPECT_NE(told.find("LAST is missing"), std::string::npos);
  run.set_last("step-00000002");
  told.clear();
  EXPECT_EQ(run.resolve("best", listen), "step-00000001");
  EXPECT_NE(told.find("BEST is missing, step-00000001 is the best"), std::string::npos) << told;
  run.remove_checkpoint("step-00000001");
  EXPECT_THROW(run.resolve("best", listen), Error);
  write("step-00000003", "");
  run.set_last("step-00000003");
  told.clear();
  EXPECT_EQ(run.resolve("best", listen), "step-00000003") << "nothing was validated: there is no best";
  EXPECT_EQ(told, "");
}

// R8
TEST(RunLock, KeepsOthersOutAndNamesWhoHoldsIt) {
  const TemporaryFolder folder;
  {
    const RunLock lock(folder.path());
    try {
      const RunLock second(folder.path());
      ADD_FAILURE();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::Model);
      EXPECT_NE(std::string(error.what()).find(fmt::format("process {} on ", ::getpid())), std::string::npos)
          << error.what();
    }
  }
  EXPECT_FALSE(fs::exists(folder / RunLock::kName));
  touch(folder / RunLock::kName);  // of a killed process
  const RunLock lock(folder.path());
  RunFolder(folder.path()).check_free(false);
}

// S11
TEST(RunFolder, AFolderThatCannotBeListedIsNotAnEmptyOne) {
  const TemporaryFolder folder;
  struct NoMoreFiles : FileSystem {
    int list(const char*, std::vector<std::string>&) override {
      errno = EMFILE;
      return -1;
    }
  } none;
  const StandInFileSystem stand_in(none);
  EXPECT_THROW(RunFolder(folder.path()).checkpoints(), Error);
}

TEST(RunFolder, ListsCompleteCheckpointsByStepAndResolvesNames) {
  const TemporaryFolder folder;
  RunFolder run(folder.path());
  EXPECT_THROW(run.resolve("best", kNobody), Error);
  for (const char* name : {"step-00000200", "step-00000100", "step-100000000", "step-00000300.tmp"})
    touch(run.path() / name / "manifest.json");
  EXPECT_EQ(run.checkpoints(),
            (std::vector<std::string>{"step-00000100", "step-00000200", "step-100000000"}));
  EXPECT_EQ(run.resolve("best", kNobody), "step-100000000") << "without BEST and LAST: the newest";
  run.set_last("step-00000200");
  EXPECT_EQ(run.resolve("best", kNobody), "step-00000200");
  run.set_best("step-00000100");
  EXPECT_EQ(run.resolve("best", kNobody), "step-00000100");
  EXPECT_EQ(run.resolve("step-00000200", kNobody), "step-00000200");
  EXPECT_THROW(run.resolve("step-7", kNobody), Error);
  run.remove_leftovers();
  EXPECT_FALSE(std::filesystem::exists(run.path() / "step-00000300.tmp"));
}

TEST(RunFolder, ACheckpointIsFoundByRunOrByItsOwnFolder) {
  const TemporaryFolder folder;
  touch(folder / "run" / "step-00000001" / "manifest.json");
  EXPECT_EQ(locate_checkpoint((folder / "run").string(), "best", kNobody).name, "step-00000001");
  EXPECT_EQ(locate_checkpoint((folder / "run/").string(), "last", kNobody).path(),
            folder / "run" / "step-00000001");
  EXPECT_EQ(locate_checkpoint((folder / "run" / "step-00000001").string(), "best", kNobody).name,
            "step-00000001");
  EXPECT_THROW(locate_checkpoint((folder / "none").string(), "best", kNobody), Error);
}

}  // namespace
}  // namespace semblance
