// Whatever a checkpoint says of its model: what does not fit its tensors is told before it takes memory.
#include "training/serving/served_model.h"

#include <gtest/gtest.h>

#include "tests/temporary_folder.h"
#include "training/tasks/registry.h"

namespace semblance {
namespace {

// Opens a model that version 0.1.0 wrote, with one value changed.
std::string refusal(const std::string& task, const std::string& pointer, const Json& value) {
  const TemporaryFolder folder;
  const auto golden = std::filesystem::path(SEMBLANCE_FIXTURES) / "golden" / task;
  auto checkpoint = read_checkpoint(golden / RunFolder(golden).last(), CheckpointPart::TrainingState);
  Json described = {{"config", checkpoint.config}, {"model", checkpoint.model_info}};
  described[Json::json_pointer(pointer)] = value;
  checkpoint.config = described["config"];
  checkpoint.model_info = described["model"];
  write_checkpoint(folder / "step-00000001", checkpoint);
  try {
    open_model((folder / "step-00000001").string(), "best", at::kCPU, "is looked at", [](const auto&) {},
               [](const auto&) { return true; });
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::Model) << error.what();
    EXPECT_EQ(std::string(error.what()).find((folder / "step-00000001").string()), 0u) << error.what();
    return error.what();
  }
  ADD_FAILURE() << task << ": " << pointer << " = " << value << " was taken";
  return {};
}

// S6
TEST(ServedModel, SizesThatItsTensorsDoNotFillAreRefused) {
  const int64_t huge = int64_t{1} << 62;
  for (const auto& size :
       {Json(-1), Json(0), Json(huge), Json(1 << 30), Json("8"), Json(1e308), Json(nullptr)}) {
    refusal("dssm", "/model/dim", size);
    refusal("trigram", "/model/dim", size);
    refusal("trigram", "/model/runs", size);
    refusal("dssm", "/model/vocabulary", size);
    refusal("sentiment", "/model/dim", size);
  }
  refusal("dssm", "/config/model/projection", {65536, 65536, 65536});
  refusal("dssm", "/config/model/projection", {7});
  refusal("sentiment", "/config/model/hidden", {65536, 65536, 65536});
  refusal("sentiment", "/config/ngrams/buckets", 2'000'000'000);
  refusal("sentiment", "/model/classes", "ab");
  refusal("sentiment", "/model/classes", {"a", "b", "c"});
  refusal("sentiment", "/model/loss", "none");
  EXPECT_NE(refusal("dssm", "/config/model/alpha", "warm").find("alpha"), std::string::npos);
}

}  // namespace
}  // namespace semblance
