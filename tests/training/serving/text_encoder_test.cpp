#include "training/serving/text_encoder.h"

#include <ATen/Functions.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/temporary_folder.h"
#include "tests/training/serving/x_encoder.h"

namespace semblance {
namespace {

class MeanVectors : public testing::Test {
 protected:
  EncodedTexts encode(std::initializer_list<std::string_view> texts, const WordEncoder* oov) {
    Texts all;
    for (const auto text : texts) all.push_back(text);
    const TextPipeline pipeline{TextOptions{}};
    MeanVectorEncoder encoder(vectors_, pipeline, oov);
    EXPECT_EQ(encoder.dim(), 2);
    return encoder.encode(all);
  }

 private:
  static WordVectors load() {
    const TemporaryFolder folder;
    std::ofstream(folder / "vectors") << "2 2\nup 0 8\nside 4 0\n";
    return WordVectors::load((folder / "vectors").string(), {}, [](const auto&) {});
  }
  WordVectors vectors_ = load();
};

void expect_rows(const at::Tensor& found, std::vector<std::vector<float>> rows) {
  ASSERT_EQ(found.size(0), static_cast<int64_t>(rows.size()));
  for (size_t i = 0; i < rows.size(); ++i)
    EXPECT_TRUE(at::allclose(found[static_cast<int64_t>(i)], at::tensor(rows[i]))) << i << "\n" << found;
}

TEST_F(MeanVectors, UnknownWordsAreLeftOut) {
  const auto encoded = encode({"up side", "up up up side", "xx up", "xx", ""}, nullptr);
  expect_rows(encoded.vectors, {{2, 4}, {1, 6}, {0, 8}, {0, 0}, {0, 0}});
  EXPECT_EQ(encoded.tokens, 9);
  EXPECT_EQ(encoded.unknown_tokens, 2);
}

TEST_F(MeanVectors, WithAnEncoderTheyTakePartWhereItKnowsThem) {
  const XEncoder oov;
  const auto encoded =
      encode({"up side", "xx up", "xx", "xx xxxx", "xx up up xxxx", "zz up", "zz", "zz xx", ""}, &oov);
  expect_rows(encoded.vectors,
              {{2, 4}, {1, 4.5f}, {2, 1}, {3, 1}, {1.5f, 4.5f}, {0, 8}, {0, 0}, {2, 1}, {0, 0}});
  EXPECT_EQ(encoded.tokens, 16);
  EXPECT_EQ(encoded.unknown_tokens, 3) << "zz, three times";
}

TEST_F(MeanVectors, AnEncoderChangesNothingAboutKnownWords) {
  const XEncoder oov;
  const auto texts = {std::string_view("up side up"), std::string_view("side")};
  EXPECT_TRUE(encode(texts, &oov).vectors.equal(encode(texts, nullptr).vectors));
}

}  // namespace
}  // namespace semblance
