// Files that `vectors convert` and `encode` write over older ones, with each fault at each step: what is
// there afterwards is the older file or the new one, whole.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "apps/verbs.h"
#include "data/vectors/convert.h"
#include "tests/reliability/faulty_file_system.h"
#include "tests/temporary_folder.h"

namespace semblance {
namespace {

namespace fs = std::filesystem;

constexpr Fault kFaults[] = {Fault::ShortWrite,      Fault::DiskFull,      Fault::BadDisk,
                             Fault::NoMoreFiles,     Fault::CrashBefore,   Fault::CrashAfter,
                             Fault::PowerLossBefore, Fault::PowerLossAfter};
const std::string kOld = "what was there\n";

// `write` makes the file of the path that it is given, or throws. Returns how many faults there were.
template <class Write>
int64_t check(Write&& write) {
  std::string whole;
  {
    const TemporaryFolder folder;
    write(folder / "out");
    whole = content_of(folder.path().string()).at("out");
    EXPECT_NE(whole, kOld);
  }
  int64_t all = 0;
  for (const Fault fault : kFaults) {
    int64_t struck = 0;
    for (int64_t at = 1;; ++at) {
      const TemporaryFolder folder;
      std::ofstream(folder / "out") << kOld;
      FaultyFileSystem disk(folder.path().string(), fault, at);
      bool failed = false;
      {
        const StandInFileSystem stand_in(disk);
        try {
          write(folder / "out");
        } catch (const Error&) {
          failed = true;
        }
      }
      if (disk.steps() < at) break;
      if (!disk.struck()) continue;
      ++struck;
      const auto where = fmt::format("{} at step {}: {}", name_of(fault), at, disk.struck_step());
      const auto found = content_of(folder.path().string());
      const auto& out = found.at("out");
      EXPECT_TRUE(out == kOld || out == whole) << where;
      const bool crashed = fault >= Fault::CrashBefore;
      EXPECT_TRUE(failed || crashed || out == whole) << where;
      EXPECT_TRUE(crashed || disk.struck_step().starts_with("unlink") || found.size() == 1) << where;
    }
    EXPECT_GT(struck, 0) << name_of(fault);
    all += struck;
  }
  return all;
}

TEST(EveryStepOf, ConvertingVectorsLeavesTheOlderFileOrTheNewOne) {
  int64_t faults = 0;
  for (const auto format : {VectorFormat::Mapped, VectorFormat::Word2vec, VectorFormat::Word2vecBinary})
    faults += check([&](const fs::path& out) {
      convert_vectors(SEMBLANCE_FIXTURES "/words.vec", {}, out.string(), format, [](const auto&) {});
    });
  RecordProperty("faults", std::to_string(faults));
}

TEST(EveryStepOf, EncodingLeavesTheOlderFileOrTheNewOne) {
  int64_t faults = 0;
  for (const char* task : {"trigram", "dssm"})
    for (const char* format : {"jsonl", "word2vec", "word2vec-bin", "mapped"})
      faults += check([&](const fs::path& out) {
        const std::string golden = SEMBLANCE_FIXTURES "/golden/";
        const std::string arguments[] = {
            golden + task,     golden + (task == std::string("dssm") ? "questions.txt" : "words.txt"),
            "--output-format", format,
            "--output",        out.string(),
            "--threads",       "1"};
        run_encode(arguments);
      });
  RecordProperty("faults", std::to_string(faults));
}

}  // namespace
}  // namespace semblance
