#include "data/config.h"

#include <gtest/gtest.h>

#include <fstream>

#include "data/text/text_pipeline.h"
#include "tests/temporary_folder.h"

namespace semblance {
namespace {

struct Everything {
  bool flag = true;
  int64_t count = 3;
  double rate = 0.5;
  std::string name = "a \"quoted\"\nname";
  Tokenizer tokenizer = Tokenizer::WordPunct;
  std::vector<int64_t> sizes = {1, 2};
  std::vector<std::string> files = {"x,y"};

  void fields(FieldList& list) {
    list.add("flag", flag, {.help = ""});
    list.add("count", count, {.help = "", .min = 1, .max = 10});
    list.add("rate", rate, {.help = "", .min = 0});
    list.add("name", name, {.help = ""});
    list.add("tokenizer", tokenizer, {.help = ""});
    list.add("sizes", sizes, {.help = "", .min = 1});
    list.add("files", files, {.help = "", .repeated = true});
  }
};

TEST(Config, ComesBackFromToml) {
  const TemporaryFolder folder;
  std::ofstream(folder / "job.toml") << write_toml(
      {{"section", options_to_json(Everything{.count = 7, .rate = 1e-9})}});
  Everything again{.flag = false,
                   .count = 1,
                   .rate = 0,
                   .name = "",
                   .tokenizer = Tokenizer::Words,
                   .sizes = {},
                   .files = {}};
  options_from_json(again, read_toml((folder / "job.toml").string())["section"], "section");
  EXPECT_EQ(options_to_json(again), options_to_json(Everything{.count = 7, .rate = 1e-9}));
}

TEST(Config, UnknownKeysAndWrongTypesAreErrors) {
  Everything options;
  for (const char* json : {R"({"cuont":3})", R"({"count":"3"})", R"({"count":3.5})", R"({"count":11})",
                           R"({"flag":1})", R"({"sizes":3})", R"({"sizes":[0]})", R"({"tokenizer":"bpe"})"})
    EXPECT_THROW(options_from_json(options, Json::parse(json), "section"), Error) << json;
}

TEST(Config, BrokenTomlIsToldByLine) {
  const TemporaryFolder folder;
  std::ofstream(folder / "job.toml") << "a = 1\nb = = 2\n";
  try {
    read_toml((folder / "job.toml").string());
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("job.toml:2:"), std::string::npos) << error.what();
    EXPECT_EQ(error.kind(), ErrorKind::Usage);
  }
}

TEST(ParseValue, NumbersAreParsedWhole) {
  const Field field{.help = "", .min = 0, .max = 100};
  EXPECT_EQ(parse_integer("42", "n", field), 42);
  for (const char* wrong : {"", "1x", " 1", "-1", "101", "1.0", "0x10", "+1", "99999999999999999999"})
    EXPECT_THROW(parse_integer(wrong, "n", field), Error) << wrong;
  EXPECT_EQ(parse_real("1e-3", "x", field), 0.001);
  for (const char* wrong : {"", "nan", "inf", "1e999", "-0.1", "1,5"})
    EXPECT_THROW(parse_real(wrong, "x", field), Error) << wrong;
}

TEST(ParseValue, SwitchesAreOnOrOff) {
  for (const char* on : {"true", "yes", "1"}) EXPECT_TRUE(parse_switch(on, "x")) << on;
  for (const char* off : {"false", "no", "0"}) EXPECT_FALSE(parse_switch(off, "x")) << off;
  for (const char* wrong : {"", "on", "TRUE", "yes ", "2", "-1"}) try {
      parse_switch(wrong, "lowercase");
      ADD_FAILURE() << wrong;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::Usage);
      EXPECT_NE(std::string(error.what()).find("--lowercase"), std::string::npos) << error.what();
    }
}

TEST(SplitList, KeepsEmptyParts) {
  EXPECT_EQ(split_list("1,2"), (std::vector<std::string>{"1", "2"}));
  EXPECT_EQ(split_list("1,,2,"), (std::vector<std::string>{"1", "", "2", ""}));
  EXPECT_TRUE(split_list("").empty());
}

// S10
TEST(ParseJson, HasALargestDepth) {
  EXPECT_EQ(parse_json(R"({"a":["[[[","\\",1]})", "x")["a"].size(), 3u);
  EXPECT_NO_THROW(parse_json(std::string(60, '[') + std::string(60, ']'), "x"));
  EXPECT_NO_THROW(parse_json("\"" + std::string(100'000, '[') + "\"", "x"));
  for (const auto& wrong :
       {std::string(100'000, '['), std::string(100'000, '[') + std::string(100'000, ']'), std::string(),
        std::string("{"), std::string("{\"a\":1e999}"), std::string("\xff")})
    EXPECT_THROW(parse_json(wrong, "x"), Error) << wrong.substr(0, 20);
}

// S10
TEST(JsonValues, AreOfTheirTypeAndRange) {
  const auto json = Json::parse(R"({"n":7,"huge":18446744073709551615,"real":1e308,"text":"a","none":null})");
  EXPECT_EQ(whole_number_in(json, "n", 0, 7), 7);
  for (const char* key : {"huge", "real", "text", "none", "missing"})
    EXPECT_THROW(whole_number_in(json, key, 0, INT64_MAX), Error) << key;
  EXPECT_THROW(whole_number_in(json, "n", 8, 9), Error);
  EXPECT_EQ(finite_number_in(json, "real"), 1e308);
  EXPECT_EQ(text_in(json, "text"), "a");
  EXPECT_THROW(text_in(json, "n"), Error);
  EXPECT_THROW(text_in(Json::array(), "n"), Error);
}

// S10
TEST(ReadToml, HasALargestDepthAndSize) {
  const TemporaryFolder folder;
  const auto path = folder / "job.toml";
  const auto write = [&](const std::string& text) { std::ofstream(path) << text; };
  std::string list = "a = [";
  for (int i = 0; i < 1000; ++i) list += "0.25, ";
  write(list + "]\nb = \"" + std::string(1000, '.') + "\" # " + std::string(1000, '.') +
        "\n[c.d]\ne = 1.5\n");
  EXPECT_EQ(read_toml(path.string())["c"]["d"]["e"], 1.5);
  for (const auto& wrong : {"a" + std::string(1000, '.') + "b = 1", "[" + std::string(1000, '.') + "]",
                            "a = " + std::string(100'000, '[') + std::string(100'000, ']')}) {
    write(wrong);
    EXPECT_THROW(read_toml(path.string()), Error) << wrong.substr(0, 20);
  }
  std::filesystem::resize_file(path, uintmax_t{20} << 30);  // holes
  EXPECT_THROW(read_toml(path.string()), Error);
}

}  // namespace
}  // namespace semblance
