#include "training/tasks/sentiment/label_file.h"

#include <gtest/gtest.h>

namespace semblance {
namespace {

std::string refusal(const Json& info, const std::string& content) {
  try {
    LabelFile::load(info, {{"labels.jsonl", content}});
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(LabelFile, KeepsWhateverCharactersAndBits) {
  const LabelFile labels{{"a\tb", "line\nbreak", "\"\\", "", "наклейка", "null"},
                         {0.1, 1e-300, 3, 0, 2.0 / 3, 1}};
  std::map<std::string, std::string> files;
  labels.save(files);
  EXPECT_EQ(std::ranges::count(files.at("labels.jsonl"), '\n'), 6);
  const auto loaded = LabelFile::load({{"classes", 6}}, files);
  EXPECT_EQ(loaded.classes, labels.classes);
  EXPECT_EQ(loaded.weights, labels.weights);
}

TEST(LabelFile, IsMadeOfWhatAManifestOfBeforeLists) {
  Checkpoint checkpoint;
  checkpoint.model_info = {{"classes", {"no", "yes"}}, {"sets", false}, {"class_weights", {0.5, 2}}};
  const auto before = LabelFile::load(checkpoint.model_info, {});
  move_labels_to_file(checkpoint);
  EXPECT_EQ(checkpoint.model_info, Json({{"classes", 2}, {"sets", false}}));
  const auto now = LabelFile::load(checkpoint.model_info, checkpoint.files);
  EXPECT_EQ(now.classes, before.classes);
  EXPECT_EQ(now.weights, (std::vector<double>{0.5, 2}));
}

TEST(LabelFile, RefusesWhatIsNotAsItWrites) {
  EXPECT_NE(refusal({{"classes", 2}}, "{\"label\":\"a\"}\n").find("expected 2 labels, found 1"),
            std::string::npos);
  EXPECT_NE(refusal({{"classes", 1}}, "[]\n").find("label"), std::string::npos);
  EXPECT_NE(refusal({{"classes", 1}}, "{\"label\"\n").find("labels.jsonl:1"), std::string::npos);
  EXPECT_NE(refusal({{"classes", 2}}, "{\"label\":\"a\"}\n{\"label\":\"b\",\"weight\":1}\n").find("weight"),
            std::string::npos);
  EXPECT_NE(refusal({{"classes", {"a", 1}}, {"class_weights", Json::array()}}, "").find("texts"),
            std::string::npos);
  EXPECT_THROW(LabelFile::load({{"classes", 1}}, {}), Error);
}

}  // namespace
}  // namespace semblance
