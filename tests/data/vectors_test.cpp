#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <span>

#include "data/error.h"
#include "data/vectors/convert.h"
#include "data/vectors/mapped_vectors.h"
#include "tests/temporary_folder.h"

namespace semblance {
namespace {

using Words = std::vector<std::string>;

std::string packed(std::initializer_list<float> values) {
  return {reinterpret_cast<const char*>(std::data(values)), values.size() * sizeof(float)};
}

class VectorFiles : public testing::Test {
 protected:
  std::string file(std::string_view content, const std::string& name = "vectors") const {
    const auto path = (folder_.path() / name).string();
    std::ofstream(path, std::ios::binary) << content;
    return path;
  }
  WordVectors load(const std::string& path, const VectorFileOptions& options = {}) {
    return WordVectors::load(path, options, [&](const std::string& line) { notices_.push_back(line); });
  }
  static Words words_of(const WordVectors& vectors) {
    Words words;
    for (int64_t i = 0; i < vectors.size(); ++i) words.emplace_back(vectors.word(i));
    return words;
  }

  TemporaryFolder folder_;
  Words notices_;
};

TEST_F(VectorFiles, AreRecognisedByTheirContent) {
  const std::pair<const char*, std::string> files[] = {
      {"word2vec text", "2 2\na 1 2\nb -3.5 4e-1\n"},
      {"word2vec text", "2 2\r\na 1 2 \r\nb -3.5 4e-1 \r\n"},
      {"word2vec text", "         2 2\na 1 2\nb -3.5 4e-1\n"},
      {"word2vec binary", " 2 2\na " + packed({1, 2}) + "b " + packed({-3.5f, 0.4f})},
      {"word2vec binary", "2 2\na " + packed({1, 2}) + "b " + packed({-3.5f, 0.4f})},
      {"word2vec binary", "2 2\na " + packed({1, 2}) + "\nb " + packed({-3.5f, 0.4f}) + "\n"},
      {"GloVe text", "a 1 2\nb -3.5 +.4"},
      {"GloVe text", "a\t1\t2\nb\t-3.5\t0.4000\n"},
  };
  for (const auto& [format, content] : files) {
    const auto vectors = load(file(content));
    EXPECT_EQ(vectors.format(), format);
    EXPECT_EQ(words_of(vectors), (Words{"a", "b"}));
    EXPECT_EQ(vectors.dim(), 2);
    EXPECT_EQ(vectors.vector(1)[0], -3.5f);
    EXPECT_EQ(vectors.vector(1)[1], 0.4f);
    EXPECT_FLOAT_EQ(vectors.norms()[0], std::sqrt(5.f));
    EXPECT_EQ(vectors.find("b"), 1);
    EXPECT_EQ(vectors.find("c"), -1);
  }
}

TEST_F(VectorFiles, NumbersAreReadToTheNearestFloat) {
  const Words numbers{"0.1",        "16777217", "1.17549435e-38", "0.30000001192092896", "-0",
                      "123456.789", "9.999999", "1e-60",          "3.4028234e17",        "0.0000000001"};
  std::string line = "w";
  for (const auto& number : numbers) line += " " + number;
  const auto vectors = load(file(line));
  for (size_t i = 0; i < numbers.size(); ++i)
    EXPECT_EQ(vectors.vector(0)[i], std::strtof(numbers[i].c_str(), nullptr)) << numbers[i];
}

TEST_F(VectorFiles, ALimitReadsNoFurther) {
  EXPECT_EQ(words_of(load(file("9 2\na 1 2\nb 3 4\nbroken"), {.limit = 2})), (Words{"a", "b"}));
  const auto mapped = (folder_.path() / "mapped").string();
  convert_vectors(file("3 1\na 1\nb 2\nc 3\n"), {}, mapped, VectorFormat::Mapped, [](const std::string&) {});
  const auto vectors = load(mapped, {.limit = 2});
  EXPECT_EQ(vectors.size(), 2);
  EXPECT_EQ(vectors.find("c"), -1) << "beyond the limit";
}

TEST_F(VectorFiles, LinesAfterThePromisedOnesAreCounted) {
  EXPECT_EQ(load(file("1 2\na 1 2\nb 3 4\nc 5 6\n")).size(), 1);
  EXPECT_NE(notices_.back().find("left out 2 vector(s) after"), std::string::npos);
}

TEST_F(VectorFiles, ConvertToEveryFormatAndBack) {
  const auto original = file("3 2\nfirst 1.5 -0.1\nпривет 0.333333 1e-7\n😀 3 0\n");
  const auto silent = [](const std::string&) {};
  for (const auto format : {VectorFormat::Mapped, VectorFormat::Word2vec, VectorFormat::Word2vecBinary}) {
    const auto there = (folder_.path() / std::string(enum_name(format))).string();
    const auto back = there + ".back";
    EXPECT_EQ(convert_vectors(original, {}, there, format, silent), 3);
    convert_vectors(there, {}, back, VectorFormat::Word2vec, silent);
    const auto expected = load(original), found = load(back);
    EXPECT_EQ(words_of(found), words_of(expected));
    EXPECT_TRUE(std::ranges::equal(found.values(), expected.values()));
    EXPECT_TRUE(std::ranges::equal(load(there).norms(), expected.norms()));
  }
}

TEST_F(VectorFiles, WhatIsWrittenIsReadWhereFewerVectorsCameThanWereExpected) {
  std::string rows = "12 1\na 1\nb 2\n";
  for (int i = 0; i < 10; ++i) rows += "a 3\n";
  const auto there = (folder_.path() / "there").string();
  for (const auto format : {VectorFormat::Word2vec, VectorFormat::Word2vecBinary}) {
    EXPECT_EQ(convert_vectors(file(rows), {}, there, format, [](const std::string&) {}), 2);
    EXPECT_EQ(words_of(load(there)), (Words{"a", "b"}));
  }
}

TEST_F(VectorFiles, AMappedFileOfManyWordsFindsThemAll) {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += "w" + std::to_string(i) + " " + std::to_string(i) + "\n";
  const auto mapped = (folder_.path() / "mapped").string();
  convert_vectors(file(text), {}, mapped, VectorFormat::Mapped, [](const std::string&) {});
  const auto vectors = load(mapped);
  EXPECT_EQ(vectors.format(), "mapped");
  for (int i = 0; i < 5000; ++i) ASSERT_EQ(vectors.find("w" + std::to_string(i)), i);
  EXPECT_EQ(vectors.find("w5000"), -1);
  EXPECT_EQ(vectors.vector(4321)[0], 4321.f);
  EXPECT_NO_THROW(vectors.values());
}

TEST_F(VectorFiles, WhatIsReadPastTheMappingIsTheSameAndWatchedToo) {
  constexpr int64_t kRows = 1000,
                    kDim = 700;  // parts of the matrix with checksums of their own end within rows
  const auto mapped = (folder_.path() / "mapped").string();
  {
    MappedVectorWriter writer(mapped, kDim);
    WordTable words;
    std::vector<float> vector(kDim);
    for (int64_t row = 0; row < kRows; ++row) {
      for (size_t d = 0; d < vector.size(); ++d)
        vector[d] = static_cast<float>(row * kDim) + static_cast<float>(d);
      writer.add(vector);
      words.add(std::to_string(row));
    }
    writer.finish(std::move(words));
  }
  const auto vectors = load(mapped);
  std::vector<float> rows(7 * kDim);
  for (const int64_t first : {0, 370, 993}) {
    vectors.read(first, 7, rows.data());
    for (int64_t row = 0; row < 7; ++row)
      EXPECT_TRUE(std::ranges::equal(vectors.vector(first + row),
                                     std::span(rows).subspan(static_cast<size_t>(row * kDim), kDim)));
  }
  {
    std::fstream damaged(mapped, std::ios::binary | std::ios::in | std::ios::out);
    damaged.seekp(4096 + 4 * 500 * kDim);
    damaged.put(1);
  }
  EXPECT_THROW(load(mapped).read(499, 2, rows.data()), Error);
  EXPECT_NO_THROW(load(mapped).read(0, 2, rows.data()));
}

TEST_F(VectorFiles, EveryBitOfAMappedFileIsWatched) {
  const auto mapped = (folder_.path() / "mapped").string();
  convert_vectors(file("2 2\na 1 2\nb 3 4\n"), {}, mapped, VectorFormat::Mapped, [](const std::string&) {});
  std::ifstream stream(mapped, std::ios::binary);
  const std::string good{std::istreambuf_iterator<char>(stream), {}};
  for (size_t at = 4096; at < good.size(); at += 3) {
    if (at >= 4096 + 16 && at < 4096 + 64) continue;  // between the matrix and the next part
    auto bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 4);
    file(bad, "mapped");
    EXPECT_THROW(load(mapped).values(), Error) << at;
  }
  for (const size_t size : {good.size() - 1, good.size() / 2, size_t{4096}, size_t{8}}) {
    file(std::string_view(good).substr(0, size), "mapped");
    EXPECT_THROW(MappedVectors{mapped}, Error) << size;
  }
}

}  // namespace
}  // namespace semblance
