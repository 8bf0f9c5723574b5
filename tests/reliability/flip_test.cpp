// One bit of a checkpoint turned: the manifest and the headers of tensors bit for bit, the rest in samples.
// Either it is noticed before anything is used, and the checkpoint before serves, or nothing has changed.
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <fstream>

#include "tests/reliability/faulty_file_system.h"
#include "tests/temporary_folder.h"
#include "training/run_training.h"

namespace semblance {
namespace {

namespace fs = std::filesystem;

// Every how many bytes of a body a bit is turned; SEMBLANCE_FLIP_EVERY=1 turns one of each byte.
size_t sampling() {
  const char* told = std::getenv("SEMBLANCE_FLIP_EVERY");
  return told ? static_cast<size_t>(std::max(1, std::atoi(told))) : 61;
}

// Bytes of a file that are looked at one by one.
size_t header_of(const fs::path& path, const std::string& content) {
  if (path.extension() == ".json") return content.size();
  if (path.extension() != ".safetensors") return 0;
  uint64_t length = 0;
  std::memcpy(&length, content.data(), sizeof length);
  return static_cast<size_t>(length) + sizeof length;
}

class Flips : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Tasks, Flips, testing::Values("sentiment", "trigram", "dssm"));

TEST_P(Flips, AreNoticedOrChangeNothing) {
  const TemporaryFolder folder;
  fs::copy(fs::path(SEMBLANCE_FIXTURES) / "golden" / GetParam(), folder / "run", fs::copy_options::recursive);
  const RunFolder run(folder / "run");
  const auto newest = run.checkpoint_path(run.checkpoints().back());
  const auto identity = read_checkpoint(newest, CheckpointPart::TrainingState).identity;
  int64_t turned = 0, harmless = 0;
  for (const auto& [name, content] : content_of(newest.string())) {
    const size_t header = header_of(name, content);
    std::fstream file(newest / name, std::ios::binary | std::ios::in | std::ios::out);
    for (size_t i = 0; i < content.size(); i += i < header ? 1 : sampling()) {
      const auto put = [&](int bits) {
        file.seekp(static_cast<std::streamoff>(i));
        file.put(static_cast<char>(content[i] ^ bits)).flush();
      };
      put(1 << (i % 8));
      ++turned;
      try {
        EXPECT_EQ(read_checkpoint(newest, CheckpointPart::TrainingState).identity, identity)
            << name << " byte " << i;
        ++harmless;  // a blank between two values of the manifest that became another
      } catch (const DamagedCheckpoint&) {
      }
      put(0);
    }
  }
  EXPECT_LT(harmless, turned / 10);
  std::ofstream(newest / "manifest.json", std::ios::app) << "x";
  RunRequest request{.run = run, .mode = RunMode::Resume, .notice = [](const std::string&) {}};
  find_resume_point(request);
  EXPECT_EQ(request.resume_point->name, run.checkpoints().front());
  RecordProperty("turned", std::to_string(turned));
  RecordProperty("harmless", std::to_string(harmless));
}

}  // namespace
}  // namespace semblance
