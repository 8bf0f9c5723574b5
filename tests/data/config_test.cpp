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

}  // namespace
}  // namespace semblance
