#include "training/checkpoint.h"

#include <gtest/gtest.h>
#include <torch/types.h>

#include <fstream>

#include "tests/temporary_folder.h"
#include "training/tensor_file.h"

namespace semblance {
namespace {

namespace fs = std::filesystem;

Checkpoint example() {
  Checkpoint checkpoint;
  checkpoint.task = "sentiment";
  checkpoint.config = {{"task", "sentiment"}, {"lr", 0.1}};
  checkpoint.model_info = {{"classes", {"no", "yes"}}};
  checkpoint.files = {{"vocabulary.txt", "word\t3\n"}};
  checkpoint.model = {{"table", torch::arange(12, torch::kFloat32).view({4, 3})},
                      {"empty", torch::empty({0, 3})},
                      {"one", torch::tensor(2.5)}};
  checkpoint.has_training_state = true;
  checkpoint.optimizer = {{"exp_avg.table", torch::ones({4, 3})}};
  checkpoint.training = {{"step", 7}, {"history", Json::array()}};
  return checkpoint;
}

TEST(Checkpoint, ComesBackAsItWasWritten) {
  const TemporaryFolder folder;
  write_checkpoint(folder / "step-00000007", example());
  const auto read = read_checkpoint(folder / "step-00000007", CheckpointPart::TrainingState);
  EXPECT_EQ(read.task, "sentiment");
  EXPECT_EQ(read.config, example().config);
  EXPECT_EQ(read.files, example().files);
  EXPECT_EQ(read.training, example().training);
  ASSERT_EQ(read.model.size(), 3u);
  for (size_t i = 0; i < 3; ++i)
    EXPECT_TRUE(read.model[i].second.equal(example().model[i].second)) << read.model[i].first;
  EXPECT_TRUE(read.optimizer[0].second.equal(torch::ones({4, 3})));
  EXPECT_FALSE(fs::exists(folder / "step-00000007.tmp"));
}

TEST(Checkpoint, SameContentSameBytes) {
  const TemporaryFolder folder;
  const auto bytes = [&](const char* name) {
    write_checkpoint(folder / name, example());
    std::string all;
    for (const char* file : {"manifest.json", "model.safetensors", "optimizer.safetensors"}) {
      std::ifstream stream(folder / name / file, std::ios::binary);
      all.append(std::istreambuf_iterator<char>(stream), {});
    }
    return all;
  };
  EXPECT_EQ(bytes("a"), bytes("b"));
}

TEST(Checkpoint, WeightsOnlyCannotBeResumed) {
  const TemporaryFolder folder;
  auto checkpoint = example();
  checkpoint.has_training_state = false;
  checkpoint.optimizer.clear();
  write_checkpoint(folder / "c", checkpoint);
  EXPECT_NO_THROW(read_checkpoint(folder / "c", CheckpointPart::ModelOnly));
  EXPECT_THROW(read_checkpoint(folder / "c", CheckpointPart::TrainingState), Error);
}

// Every byte of every file: whatever is flipped or cut off is noticed before anything is used.
TEST(Checkpoint, AnyFlippedByteIsNoticed) {
  const TemporaryFolder folder;
  write_checkpoint(folder / "c", example());
  for (const auto& entry : fs::directory_iterator(folder / "c")) {
    std::fstream file(entry.path(), std::ios::binary | std::ios::in | std::ios::out);
    const auto size = static_cast<int64_t>(fs::file_size(entry.path()));
    for (int64_t i = 0; i < size; ++i) {
      file.seekg(i);
      const char old = static_cast<char>(file.get());
      if (entry.path().filename() == "manifest.json" && (old == ' ' || old == '\n'))
        continue;  // layout, not content
      file.seekp(i);
      file.put(static_cast<char>(old ^ 0x01)).flush();
      EXPECT_THROW(read_checkpoint(folder / "c", CheckpointPart::TrainingState), Error)
          << entry.path() << " byte " << i;
      file.seekp(i);
      file.put(old).flush();
    }
  }
  EXPECT_NO_THROW(read_checkpoint(folder / "c", CheckpointPart::TrainingState));
}

TEST(Checkpoint, AnyTruncationOrMissingFileIsNoticed) {
  for (const char* name : {"manifest.json", "model.safetensors", "optimizer.safetensors", "vocabulary.txt"}) {
    for (const double share : {0.0, 0.5, 0.99, -1.0}) {
      const TemporaryFolder folder;
      write_checkpoint(folder / "c", example());
      const auto path = folder / "c" / std::string(name);
      if (share < 0)
        fs::remove(path);
      else
        fs::resize_file(path, static_cast<uintmax_t>(static_cast<double>(fs::file_size(path)) * share));
      try {
        read_checkpoint(folder / "c", CheckpointPart::TrainingState);
        FAIL() << name << " at " << share;
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::Model);
      }
    }
  }
}

TEST(Checkpoint, ReplacesAnotherOfItsNameAndLeavesNothingBehind) {
  const TemporaryFolder folder;
  fs::create_directories(folder / "c");
  std::ofstream(folder / "c" / "manifest.json") << "damaged";
  write_checkpoint(folder / "c", example());
  EXPECT_NO_THROW(verify_checkpoint(folder / "c"));
  int entries = 0;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator(folder.path())) ++entries;
  EXPECT_EQ(entries, 1);
}

TEST(TensorFile, AHeaderThatPromisesTooMuchTakesNoMemory) {
  const TemporaryFolder folder;
  const auto write = [&](uint64_t length, const std::string& header) {
    std::ofstream file(folder / "t", std::ios::binary);
    file.write(reinterpret_cast<const char*>(&length), 8) << header;
  };
  const std::string huge =
      R"({"t":{"dtype":"F32","shape":[1000000,1000000],"data_offsets":[0,4000000000000]}})";
  write(huge.size(), huge);
  EXPECT_THROW(read_tensors(folder / "t"), Error);
  write(uint64_t{1} << 60, "{}");
  EXPECT_THROW(read_tensors(folder / "t"), Error);
  const std::string overflow =
      R"({"t":{"dtype":"F32","shape":[4294967296,4294967296,4],"data_offsets":[0,0]}})";
  write(overflow.size(), overflow);
  EXPECT_THROW(read_tensors(folder / "t"), Error);
}

TEST(TensorFile, AnotherModelsTensorsAreRefusedByNameShapeAndType) {
  const NamedTensors model = {{"a", torch::zeros({2, 3})}};
  EXPECT_THROW(copy_tensors({{"a", torch::ones({3, 2})}}, model, "x"), Error);
  EXPECT_THROW(copy_tensors({{"b", torch::ones({2, 3})}}, model, "x"), Error);
  EXPECT_THROW(copy_tensors({}, model, "x"), Error);
  EXPECT_THROW(copy_tensors({{"a", torch::ones({2, 3}, torch::kFloat64)}}, model, "x"), Error);
  copy_tensors({{"a", torch::ones({2, 3})}}, model, "x");
  EXPECT_TRUE(model[0].second.eq(1).all().item<bool>());
}

}  // namespace
}  // namespace semblance
