#include "training/run_folder.h"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/temporary_folder.h"

namespace semblance {
namespace {

void touch(const std::filesystem::path& path) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path) << "x";
}

TEST(RunFolder, RefusesAnOldRunUnlessToldToOverwrite) {
  const TemporaryFolder folder;
  RunFolder run(folder / "run");
  run.create("task = \"a\"\n", false);
  EXPECT_THROW(run.create("", false), Error);
  touch(run.path() / "step-00000010" / "manifest.json");
  touch(run.path() / "notes.txt");
  run.create("task = \"b\"\n", true);
  EXPECT_TRUE(run.checkpoints().empty());
  EXPECT_TRUE(std::filesystem::exists(run.path() / "notes.txt")) << "what is not a run's stays";
}

TEST(RunFolder, ListsCompleteCheckpointsByStepAndResolvesNames) {
  const TemporaryFolder folder;
  RunFolder run(folder.path());
  EXPECT_THROW(run.resolve("best"), Error);
  for (const char* name : {"step-00000200", "step-00000100", "step-100000000", "step-00000300.tmp"})
    touch(run.path() / name / "manifest.json");
  EXPECT_EQ(run.checkpoints(),
            (std::vector<std::string>{"step-00000100", "step-00000200", "step-100000000"}));
  EXPECT_EQ(run.resolve("best"), "step-100000000") << "without BEST and LAST: the newest";
  run.set_last("step-00000200");
  EXPECT_EQ(run.resolve("best"), "step-00000200");
  run.set_best("step-00000100");
  EXPECT_EQ(run.resolve("best"), "step-00000100");
  EXPECT_EQ(run.resolve("step-00000200"), "step-00000200");
  EXPECT_THROW(run.resolve("step-7"), Error);
  run.remove_leftovers();
  EXPECT_FALSE(std::filesystem::exists(run.path() / "step-00000300.tmp"));
}

TEST(RunFolder, ACheckpointIsFoundByRunOrByItsOwnFolder) {
  const TemporaryFolder folder;
  touch(folder / "run" / "step-00000001" / "manifest.json");
  EXPECT_EQ(locate_checkpoint((folder / "run").string(), "best").name, "step-00000001");
  EXPECT_EQ(locate_checkpoint((folder / "run/").string(), "last").path(), folder / "run" / "step-00000001");
  EXPECT_EQ(locate_checkpoint((folder / "run" / "step-00000001").string(), "best").name, "step-00000001");
  EXPECT_THROW(locate_checkpoint((folder / "none").string(), "best"), Error);
}

}  // namespace
}  // namespace semblance
