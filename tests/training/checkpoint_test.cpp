#include "training/checkpoint.h"

#include <gtest/gtest.h>
#include <torch/types.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <fstream>
#include <limits>

#include "data/io/file_system.h"
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
  checkpoint.training.step = 7;
  return checkpoint;
}

// Rewrites the manifest with another value in it, its checksum right.
void reseal(const fs::path& folder, const std::string& pointer, const Json& value) {
  auto manifest = Json::parse(std::ifstream(folder / "manifest.json"));
  manifest[Json::json_pointer(pointer)] = value;
  manifest.erase("manifest_xxh3");
  const auto text = manifest.dump();
  const auto hash = XXH3_128bits(text.data(), text.size());
  manifest["manifest_xxh3"] = fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
  std::ofstream(folder / "manifest.json") << manifest.dump(1);
}

// What is told of the damage; empty, with a failure, if none is.
std::string damage_of(const fs::path& folder) {
  try {
    read_checkpoint(folder, CheckpointPart::TrainingState);
  } catch (const DamagedCheckpoint& error) {
    return error.what();
  }
  ADD_FAILURE() << "no damage was noticed";
  return {};
}

TEST(Checkpoint, ComesBackAsItWasWritten) {
  const TemporaryFolder folder;
  write_checkpoint(folder / "step-00000007", example());
  const auto read = read_checkpoint(folder / "step-00000007", CheckpointPart::TrainingState);
  EXPECT_EQ(read.task, "sentiment");
  EXPECT_EQ(read.config, example().config);
  EXPECT_EQ(read.files, example().files);
  EXPECT_EQ(training_state_to_json(read.training), training_state_to_json(example().training));
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

// S6, S10
TEST(Checkpoint, AValueOfAnotherTypeOrOutOfRangeIsNamed) {
  const std::tuple<std::string, Json, std::string> wrong[] = {
      {"/training/batch", -1, "batch"},
      {"/training/epoch", 1e308, "epoch"},
      {"/training/epoch", 3, "history"},
      {"/training/step", "7", "step"},
      {"/training/step", std::numeric_limits<uint64_t>::max(), "step"},
      {"/training/loss_total", nullptr, "loss_total"},
      {"/training/history", Json::object(), "history"},
      {"/training/callbacks", Json::array(), "callbacks"},
      {"/training", 3, "training"},
      {"/config", "text", "config"},
      {"/content", "nothing", "content"},
      {"/version", 1e308, "version"},
      {"/tensors/0/shape", "4x3", "model.safetensors"},
      {"/tensors/0/shape/0", -1, "model.safetensors"},
      {"/tensors/0/shape/0", int64_t{1} << 62, "model.safetensors"},
      {"/tensors/0/type", "Double", "model.safetensors"},
      {"/optimizer_tensors/0/shape/0", 5, "optimizer.safetensors"},
      {"/optimizer_tensors", Json::array(), "optimizer.safetensors"},
      {"/files/0/name", "../vocabulary.txt", "files"},
      {"/files/0/size", -1, "size"},
      {"/files", Json::array(), "files"},
  };
  for (const auto& [pointer, value, named] : wrong) {
    const TemporaryFolder folder;
    write_checkpoint(folder / "c", example());
    reseal(folder / "c", pointer, value);
    EXPECT_NE(damage_of(folder / "c").find(named), std::string::npos) << pointer << " = " << value;
    EXPECT_THROW(verify_checkpoint(folder / "c"), DamagedCheckpoint) << pointer;
  }
}

// S10
TEST(Checkpoint, AManifestThatIsDeepOrEndlessIsRefusedAtOnce) {
  const TemporaryFolder folder;
  write_checkpoint(folder / "c", example());
  const auto manifest = folder / "c" / "manifest.json";
  std::ofstream(manifest) << std::string(100'000, '[') << std::string(100'000, ']');
  EXPECT_NE(damage_of(folder / "c").find("levels"), std::string::npos);
  fs::resize_file(manifest, uintmax_t{20} << 30);  // holes
  EXPECT_NE(damage_of(folder / "c").find("MiB"), std::string::npos);
}

// S4
TEST(Checkpoint, NumbersThatAreNotFiniteAreDamage) {
  for (const double value :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(),
        -std::numeric_limits<double>::infinity()}) {
    const TemporaryFolder folder;
    auto checkpoint = example();
    checkpoint.model[0].second[3][2] = value;
    write_checkpoint(folder / "c", checkpoint);
    EXPECT_NE(damage_of(folder / "c").find("finite numbers, found others in table"), std::string::npos);
    EXPECT_THROW(read_checkpoint(folder / "c", CheckpointPart::ModelOnly), DamagedCheckpoint);
  }
}

// S11
TEST(Checkpoint, WhatCannotBeReadIsNoDamage) {
  const TemporaryFolder folder;
  write_checkpoint(folder / "c", example());
  struct NoMoreFiles : FileSystem {
    int open(const char*, int, mode_t) override {
      errno = reason;
      return -1;
    }
    int list(const char*, std::vector<std::string>&) override {
      errno = reason;
      return -1;
    }
    int reason = EMFILE;
  } none;
  const StandInFileSystem stand_in(none);
  const auto told = [&] {
    try {
      read_checkpoint(folder / "c", CheckpointPart::TrainingState);
    } catch (const DamagedCheckpoint& error) {
      return std::string("damage: ") + error.what();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::Model);
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_NE(told().find("manifest.json: cannot be opened: Too many open files"), std::string::npos);
  EXPECT_EQ(told().find("damage"), std::string::npos);
  none.reason = EIO;  // the disk itself: another checkpoint may do
  EXPECT_EQ(told().find("damage: "), 0u);
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

// S10
TEST(TensorFile, MetadataOfOthersIsPassedOverAndHeadersHaveALimit) {
  const TemporaryFolder folder;
  const auto write = [&](const std::string& header, size_t data) {
    std::ofstream file(folder / "t", std::ios::binary);
    const uint64_t length = header.size();
    file.write(reinterpret_cast<const char*>(&length), 8) << header << std::string(data, '\0');
  };
  write(R"({"__metadata__":{"format":"pt"},"t":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 8);
  const auto tensors = read_tensors(folder / "t");
  ASSERT_EQ(tensors.size(), 1u);
  EXPECT_EQ(tensors[0].first, "t");
  write("{}" + std::string(100'000'000, ' '), 0);
  EXPECT_THROW(read_tensors(folder / "t"), Error);
  write(std::string(100'000, '['), 0);
  EXPECT_THROW(read_tensors(folder / "t"), Error);
  for (const char* entry : {R"({"dtype":"F32","shape":"2","data_offsets":[0,8]})",
                            R"({"dtype":"F32","shape":[-2],"data_offsets":[0,8]})",
                            R"({"dtype":"F32","shape":[2],"data_offsets":[8,16]})",
                            R"({"dtype":"F32","shape":[1],"data_offsets":[0,4]})",
                            R"({"dtype":3,"shape":[2],"data_offsets":[0,8]})", R"([])"}) {
    write(fmt::format("{{\"t\":{}}}", entry), 8);
    EXPECT_THROW(read_tensors(folder / "t"), Error) << entry;
  }
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
