#include <gtest/gtest.h>

#include <fstream>

#include "data/error.h"
#include "data/readers/labelled_texts.h"
#include "data/readers/row_reader.h"
#include "tests/temporary_folder.h"

namespace semblance {
namespace {

using Rows = std::vector<std::vector<std::string>>;

Rows rows_of(const std::string& text, char delimiter, bool quoted, std::vector<int64_t>* lines = nullptr) {
  auto reader = make_row_reader(ByteStream::from_memory("text", text), delimiter, quoted);
  Rows rows;
  for (Row row; reader->next(row);) {
    rows.emplace_back(row.fields.begin(), row.fields.end());
    if (!row.error.empty()) rows.back() = {"error"};
    if (lines) lines->push_back(row.line);
  }
  return rows;
}

TEST(RowReader, QuotedFieldsHoldDelimitersQuotesAndLineBreaks) {
  std::vector<int64_t> lines;
  EXPECT_EQ(rows_of("\xEF\xBB\xBF"
                    "a,\"b,\"\"c\"\"\nd\",\r\n\r\n e , ,f",
                    ',', true, &lines),
            (Rows{{"a", "b,\"c\"\nd", ""}, {" e ", " ", "f"}}));
  EXPECT_EQ(lines, (std::vector<int64_t>{1, 4}));
}

TEST(RowReader, BrokenQuotingIsOneBadRow) {
  std::vector<int64_t> lines;
  EXPECT_EQ(rows_of("a,b\nc,\"d\"e\nf,g\nh,\"i", ',', true, &lines),
            (Rows{{"a", "b"}, {"error"}, {"f", "g"}, {"error"}}));
  EXPECT_EQ(lines, (std::vector<int64_t>{1, 2, 3, 4}));
}

TEST(RowReader, PlainFieldsKeepTheirQuotes) {
  EXPECT_EQ(rows_of("\"a\tb\"c\r\n\nd\t\n", '\t', false), (Rows{{"\"a", "b\"c"}, {"d", ""}}));
}

// Chunks end anywhere: the same rows, and the same line numbers, for a text of many chunks.
TEST(RowReader, RowsAreWholeAcrossChunks) {
  std::string text;
  for (int i = 0; i < 40000; ++i)
    text += std::to_string(i) + ",\"x\ny" + std::string(static_cast<size_t>(i % 37), 'z') + "\"\r\n";
  std::vector<int64_t> lines;
  const auto rows = rows_of(text, ',', true, &lines);
  ASSERT_EQ(rows.size(), 40000u);
  for (size_t i = 0; i < rows.size(); ++i) {
    ASSERT_EQ(rows[i][0], std::to_string(i));
    ASSERT_EQ(rows[i][1].size(), 3 + i % 37);
    ASSERT_EQ(lines[i], static_cast<int64_t>(2 * i + 1));
  }
}

struct Loaded {
  std::vector<std::string> texts;
  std::vector<std::vector<std::string>> labels;
  bool sets;
  ReadReport report;
};

Loaded load(const std::vector<std::string>& contents, const std::string& name,
            const InputOptions& options = {}) {
  const TemporaryFolder folder;
  std::vector<std::string> paths;
  for (size_t i = 0; i < contents.size(); ++i) {
    paths.push_back((folder / (std::to_string(i) + name)).string());
    std::ofstream(paths.back(), std::ios::binary) << contents[i];
  }
  const auto read = read_labelled_texts(paths, options);
  Loaded loaded{.texts = {}, .labels = {}, .sets = read.sets, .report = read.report};
  for (int64_t i = 0; i < read.texts.size(); ++i) {
    loaded.texts.emplace_back(read.texts[i]);
    auto& labels = loaded.labels.emplace_back();
    for (const auto label : read.labels[i]) labels.emplace_back(read.names[label]);
  }
  return loaded;
}

using Texts1 = std::vector<std::string>;
using Labels1 = std::vector<std::vector<std::string>>;

TEST(LabelledTexts, RecognisesEachFormatByItsContent) {
  const Texts1 texts = {"a b", "c d"};
  const Labels1 labels = {{"x"}, {"y"}};
  const struct {
    const char* name;
    const char* content;
    const char* layout;
  } cases[] = {
      {".csv", "label,text\nx,a b\ny,c d\n",
       "csv with header, text in column 2 (text), label in column 1 (label)"},
      {".csv", "text;class\na b;x\nc d;y",
       "csv with header, text in column 1 (text), label in column 2 (class)"},
      {".tsv", "a b\tx\r\nc d\ty\r\n", "tsv without header, text in column 1, label in column 2"},
      {".dat", "x\ta b\ny\tc d\n", "tsv without header, text in column 2, label in column 1"},
      {".ft", "__label__x a b\n__label__y c d\n", "fasttext"},
      {".txt", "x a b\ny c d\nx a b\ny c d\nx a b\n", "label-text"},
  };
  for (const auto& c : cases) {
    auto loaded = load({c.content}, c.name);
    loaded.texts.resize(2);
    loaded.labels.resize(2);
    EXPECT_EQ(loaded.texts, texts) << c.content;
    EXPECT_EQ(loaded.labels, labels) << c.content;
    EXPECT_EQ(loaded.report.layout, c.layout) << c.content;
  }
}

TEST(LabelledTexts, RuTweetCorpIsTwoFilesOfTwelveQuotedColumns) {
  const auto row = [](const char* text, const char* label) {
    return std::string("\"40\";\"13\";\"u\";\"") + text + "\";\"" + label +
           "\";\"0\";\"0\";\"0\";\"1\";\"2\";\"3\";\"0\"\n";
  };
  const auto loaded = load({row("хорошо; \"\"да\"\"\nочень", "1"), row("плохо", "-1")}, ".csv");
  EXPECT_EQ(loaded.texts, (Texts1{"хорошо; \"да\"\nочень", "плохо"}));
  EXPECT_EQ(loaded.labels, (Labels1{{"1"}, {"-1"}}));
}

TEST(LabelledTexts, SeveralLabelsComeInBracketsOrAsSeveralMarks) {
  const auto tags = load({"title\ttags\r\n\"Quoted\" title\t['c++', \"it's\"]\r\nnone\t[]"}, ".tsv");
  EXPECT_TRUE(tags.sets);
  EXPECT_EQ(tags.texts, (Texts1{"\"Quoted\" title", "none"}));
  EXPECT_EQ(tags.labels, (Labels1{{"c++", "it's"}, {}}));
  const auto marks = load({"__label__a __label__b text\n__label__c more __label__d text\n"}, ".ft");
  EXPECT_TRUE(marks.sets);
  EXPECT_EQ(marks.texts[0], "text");
  EXPECT_EQ(marks.labels, (Labels1{{"a", "b"}, {"c", "d"}}));
}

TEST(LabelledTexts, ColumnsAreChosenByNameOrNumber) {
  const std::string content = "id,body,verdict\n7,a b,x\n8,c d,y\n";
  EXPECT_EQ(load({content}, ".csv", {.text_column = "body", .label_column = "verdict"}).texts,
            (Texts1{"a b", "c d"}));
  EXPECT_EQ(load({content}, ".csv", {.text_column = "2", .label_column = "3", .header = Header::Yes}).labels,
            (Labels1{{"x"}, {"y"}}));
  EXPECT_THROW(load({content}, ".csv", {.text_column = "4", .label_column = "3"}), Error);
  EXPECT_THROW(load({content}, ".csv", {.text_column = "body", .label_column = "body"}), Error);
  EXPECT_THROW(load({content}, ".csv"), Error) << "three columns of unknown names";
}

TEST(LabelledTexts, BadRowsStopOrAreCountedWithTheirLine) {
  const std::string content = "label,text\nx,a\ny\nx,b\n,c\n";
  try {
    load({content}, ".csv");
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find(":3: expected 2 columns, found 1"), std::string::npos)
        << error.what();
  }
  const auto loaded = load({content}, ".csv", {.bad_rows = BadRows::Skip});
  EXPECT_EQ(loaded.texts, (Texts1{"a", "b"}));
  EXPECT_EQ(loaded.report.skipped, 2);
  EXPECT_NE(loaded.report.first_skipped.find(":3:"), std::string::npos);
}

TEST(LabelledTexts, IllFormedUtf8IsReplacedAndCounted) {
  const auto loaded = load({"label,text\nx,caf\xE9\ny,fine\n"}, ".csv");
  EXPECT_EQ(loaded.texts[0], "caf\uFFFD");
  EXPECT_EQ(loaded.report.invalid_utf8, 1);
}

TEST(ReadTexts, TakesPlainLinesAndColumnsWithoutLabels) {
  const TemporaryFolder folder;
  const auto path = (folder / "texts.csv").string();
  std::ofstream(path) << "text\na b\n\"c,\nd\"\n";
  std::vector<std::string> texts;
  const auto take = [&](std::string_view text, bool) { texts.emplace_back(text); };
  EXPECT_EQ(read_texts(path, {}, take).rows, 2);
  EXPECT_EQ(texts, (Texts1{"a b", "c,\nd"}));
  texts.clear();
  read_texts(path, {.format = InputFormat::Lines}, take);
  EXPECT_EQ(texts, (Texts1{"text", "a b", "\"c,", "d\""}));
}

// What Python's csv module and a count of lines say of the real files.
TEST(RealFiles, AreReadWhole) {
  const char* given = std::getenv("SEMBLANCE_SHARED");
  const auto shared = std::filesystem::path(given ? given : SEMBLANCE_SHARED_DIR).lexically_normal();
  const auto data = shared / "data" / "sentiment";
  if (!std::filesystem::exists(data)) GTEST_SKIP() << "the real data is not at " << shared.string();
  const struct {
    const char* file;
    int64_t rows;
    int32_t labels;
    InputOptions options;
  } cases[] = {
      {"rusentiment/rusentiment_random_posts.csv", 21268, 5, {}},
      {"rusentiment/rusentiment_test.csv", 2967, 5, {}},
      {"sst2/stsa.binary.train", 6920, 2, {}},
      {"sst2/stsa.fine.test", 2210, 5, {}},
      {"rt-polarity.all", 10662, 2, {}},
      {"sentirueval/2015-telecoms-train.tsv", 4738, 3, {}},
      {"imdb/train.tsv.gz", 25000, 2, {.text_column = "4", .label_column = "1"}},
      {"rutweetcorp_sample/negative.csv", 3, 1, {}},
  };
  for (const auto& c : cases) {
    const auto path = (data / c.file).string();
    const auto read = read_labelled_texts(std::span(&path, 1), c.options);
    EXPECT_EQ(read.report.rows, c.rows) << c.file;
    EXPECT_EQ(read.names.size(), c.labels) << c.file;
    EXPECT_EQ(read.report.invalid_utf8 > 0, std::string(c.file) == "rt-polarity.all") << c.file;
  }
  const auto tags = (data / "so_title_tags/train.tsv").string();
  EXPECT_THROW(read_labelled_texts(std::span(&tags, 1), {}), Error) << "the header comes again in the middle";
  const auto read = read_labelled_texts(std::span(&tags, 1), {.bad_rows = BadRows::Skip});
  EXPECT_TRUE(read.sets);
  EXPECT_GT(read.report.rows, 52000);
  EXPECT_LT(read.report.skipped, 10);
}

}  // namespace
}  // namespace semblance
