#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "data/error.h"
#include "data/readers/labelled_texts.h"
#include "data/readers/row_reader.h"
#include "data/text/unicode.h"
#include "tests/temporary_folder.h"

namespace semblance {
namespace {

using Rows = std::vector<std::vector<std::string>>;

Rows rows_of(const std::string& text, char delimiter, Quoting quoting,
             std::vector<int64_t>* lines = nullptr) {
  RowReader reader(ByteStream::from_memory("text", text), delimiter, quoting);
  Rows rows;
  for (Row row; reader.next(row);) {
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
                    ',', Quoting::Rfc4180, &lines),
            (Rows{{"a", "b,\"c\"\nd", ""}, {" e ", " ", "f"}}));
  EXPECT_EQ(lines, (std::vector<int64_t>{1, 4}));
}

TEST(RowReader, AQuoteThatIsNotClosedIsOneBadRow) {
  std::vector<int64_t> lines;
  EXPECT_EQ(rows_of("a,b\nc,\"d\nf,\"g\"\nh,\"i", ',', Quoting::Rfc4180, &lines),
            (Rows{{"a", "b"}, {"error"}, {"f", "g"}, {"error"}}));
  EXPECT_EQ(lines, (std::vector<int64_t>{1, 2, 3, 4}));
}

// T7: as pandas reads them.
TEST(RowReader, QuotesElsewhereArePartsOfTheField) {
  EXPECT_EQ(rows_of("a,the 5\" screen\nb,\"c\"d \"e\"\n", ',', Quoting::Rfc4180),
            (Rows{{"a", "the 5\" screen"}, {"b", "cd \"e\""}}));
  EXPECT_EQ(rows_of("a,\"b \\\"c\\\", d\"\ne\\,f,g\n", ',', Quoting::Backslash),
            (Rows{{"a", "b \"c\", d"}, {"e,f", "g"}}));
}

// T7
TEST(RowReader, RowsEndWithALoneCrToo) {
  std::vector<int64_t> lines;
  EXPECT_EQ(rows_of("a,b\rc,\"d\re\"\r \rf,g", ',', Quoting::Rfc4180, &lines),
            (Rows{{"a", "b"}, {"c", "d\re"}, {"f", "g"}}));
  EXPECT_EQ(lines, (std::vector<int64_t>{1, 2, 5}));
}

TEST(RowReader, PlainFieldsKeepTheirQuotes) {
  EXPECT_EQ(rows_of("\"a\tb\"c\r\n\nd\t\n", '\t', Quoting::None), (Rows{{"\"a", "b\"c"}, {"d", ""}}));
}

// Chunks end anywhere: the same rows, and the same line numbers, for a text of many chunks.
TEST(RowReader, RowsAreWholeAcrossChunks) {
  std::string text;
  for (int i = 0; i < 40000; ++i)
    text += std::to_string(i) + ",\"x\ny" + std::string(static_cast<size_t>(i % 37), 'z') + "\"\r\n";
  std::vector<int64_t> lines;
  const auto rows = rows_of(text, ',', Quoting::Rfc4180, &lines);
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

std::string many(const char* header, const char* good, const char* bad) {
  std::string content = header;
  for (int i = 0; i < 20; ++i) {
    for (std::string row : {good, bad}) {
      for (size_t at; (at = row.find('#')) != std::string::npos;) row.replace(at, 1, std::to_string(i));
      content += row;
    }
  }
  return content;
}

// T1: the rows below tell, not what the cells are called.
TEST(LabelledTexts, AFirstRowThatIsUnlikeTheOthersIsAHeader) {
  const struct {
    std::string content;
    int64_t rows;
    int32_t labels;
  } cases[] = {
      {many("Phrase,Rating\n", "loved it #,good\n", "hated it #,bad\n"), 40, 2},
      {many("", "question,loved it #\n", "topic,hated it #\n"), 40, 2},
      {many("sep=;\r\nv1;v2\r\n", "good;loved it #\r\n", "bad;hated it #\r\n"), 40, 2},
      {many("Export of \"reviews\" 2024\nlabel,text\n", "good,loved it #\n", "bad,hated it #\n"), 40, 2},
      {many("\n  \nlabel,text\n", "good,loved it #\n", "bad,hated it #\n"), 40, 2},
      {many(",a,b\n", "#,good,loved it #\n", "#,bad,hated it #\n"), 40, 2},
      {many("v1,v2,,,\n", "good,loved it #,,,\n", "bad,hated it #,,,\n"), 40, 2},
  };
  for (const auto& c : cases) {
    // The column of running numbers counts by twos in these files: the names tell there.
    const InputOptions options = c.content.starts_with(",a")
                                     ? InputOptions{.text_columns = {"b"}, .label_columns = {"a"}}
                                     : InputOptions{};
    const auto loaded = load({c.content}, ".csv", options);
    EXPECT_EQ(loaded.report.rows, c.rows) << c.content.substr(0, 40);
    std::set<std::string> labels;
    for (const auto& row : loaded.labels) labels.insert(row.begin(), row.end());
    EXPECT_EQ(labels.size(), static_cast<size_t>(c.labels)) << c.content.substr(0, 40);
  }
}

// T1: what the first rows told is checked against all others.
TEST(LabelledTexts, AHeaderWhoseLabelComesAgainLaterWasARow) {
  std::string content = "rare,an odd one\n";
  for (int i = 0; i < 1000; ++i) content += (i % 2 ? "good,a " : "bad,b ") + std::to_string(i) + "\n";
  EXPECT_EQ(load({content + "rare,another one\n"}, ".csv").report.rows, 1002);
}

// T1
TEST(LabelledTexts, AHeaderThatComesAgainIsLeftOutAndCounted) {
  const auto once = many("label,text\n", "good,loved it #\n", "bad,hated it #\n");
  const auto loaded = load({once + once}, ".csv");
  EXPECT_EQ(loaded.report.rows, 80);
  EXPECT_EQ(loaded.report.headers, 1);
}

std::string refusal(const std::string& content, const std::string& name, const InputOptions& options = {}) {
  try {
    load({content}, name, options);
  } catch (const Error& error) {
    return error.what();
  }
  return "read";
}

// T2
TEST(LabelledTexts, OfTwoColumnsThatCouldBeTheTextNoneIsTaken) {
  const auto content = many("Class Index,Title,Description\n", "3,Name #,loved it\n", "4,Name #,hated it\n");
  EXPECT_NE(refusal(content, ".csv").find("column 2 (Title), column 3 (Description)"), std::string::npos);
  const auto joined = load({content}, ".csv", {.text_columns = {"Title", "Description"}});
  EXPECT_EQ(joined.texts[0], "Name 0 loved it");
  EXPECT_NE(refusal(many("category,topic,text\n", "a,b,loved it #\n", "c,d,hated it #\n"), ".csv")
                .find("column 1 (category), column 2 (topic)"),
            std::string::npos);
}

// T3
TEST(LabelledTexts, OtherEncodingsAreDecodedByTheirMarkOrByOption) {
  const std::string utf8 = many("label,text\n", "1,хорошо #\n", "-1,плохо #\n");
  std::string cp1251, utf16 = "\xFF\xFE";
  for (size_t i = 0; i < utf8.size();) {
    const char32_t c = decode_utf8(utf8, i);
    cp1251 += static_cast<char>(c < 0x80 ? c : c - 0x410 + 0xC0);
    utf16 += {static_cast<char>(c & 0xFF), static_cast<char>(c >> 8)};
  }
  const auto expected = load({utf8}, ".csv").texts;
  EXPECT_EQ(load({utf16}, ".csv").texts, expected);
  EXPECT_EQ(load({cp1251}, ".csv", {.table = {.encoding = "windows-1251"}}).texts, expected);
  EXPECT_EQ(load({utf16.substr(2)}, ".csv", {.table = {.encoding = "utf-16le"}}).texts, expected);
  EXPECT_NE(refusal(cp1251, ".csv").find("--encoding"), std::string::npos);
  EXPECT_NE(refusal(utf16.substr(2), ".csv").find("--encoding utf-16le"), std::string::npos);
  EXPECT_EQ(load({cp1251}, ".csv", {.table = {.encoding = "utf-8"}}).report.invalid_utf8, 40);
  EXPECT_NE(refusal(utf8, ".csv", {.table = {.encoding = "klingon"}}).find("--encoding"), std::string::npos);
}

// T3
TEST(LabelledTexts, ContainersAreRefusedByName) {
  for (const auto& [bytes, name] : {std::pair{std::string("PK\x03\x04 and more than that"), "zip"},
                                    {std::string("BZh91AY&SY and more"), "bzip2"},
                                    {std::string("\xFD\x37zXZ\0 and more", 15), "xz"},
                                    {std::string("\x28\xB5\x2F\xFD and more"), "zstd"},
                                    {std::string("PAR1 and more"), "parquet"}})
    EXPECT_NE(refusal(bytes, ".csv").find(name), std::string::npos) << name;
}

// T4
TEST(LabelledTexts, MarksAnywhereInALineAreFastText) {
  const auto last = load({many("", "loved it # __label__a\n", " __label__b hated it #\n")}, ".txt");
  EXPECT_EQ(last.report.layout, "fasttext");
  EXPECT_EQ(last.texts[0], "loved it 0");
  EXPECT_EQ(last.texts[1], "hated it 0");
  EXPECT_NE(refusal(many("", "__label__a x #\n", "__label__b y #\n") + "no label\n", ".txt")
                .find(":41: expected a word that begins with __label__"),
            std::string::npos);
  EXPECT_EQ(load({many("", "__c__a x #\n", "__c__b y #\n")}, ".txt", {.label_prefix = "__c__"}).report.layout,
            "fasttext");
}

// T4
TEST(LabelledTexts, JsonLinesAreReadByTheirKeys) {
  const auto loaded = load({many("", "{\"label\": \"a\", \"text\": \"loved \\u0041 #\"}\n",
                                 "{\"text\": \"hated\", \"label\": \"b\", \"id\": #}\n")},
                           ".jsonl");
  EXPECT_EQ(loaded.texts[0], "loved A 0");
  EXPECT_EQ(loaded.labels[1], (std::vector<std::string>{"b"}));
  const auto sets =
      load({"{\"body\": \"x\", \"tags\": [\"a\", 1]}\n{\"body\": \"y\", \"tags\": []}\n"}, ".jsonl");
  EXPECT_TRUE(sets.sets);
  EXPECT_EQ(sets.labels, (Labels1{{"a", "1"}, {}}));
  EXPECT_NE(refusal("[{\"text\": \"x\", \"label\": 1}]", ".json").find("jq -c"), std::string::npos);
}

// T6
TEST(LabelledTexts, SetsOfLabelsComeInManyForms) {
  const auto labels = [](const std::string& cell) {
    return load({"text,label\na,\"" + cell + "\"\n"}, ".csv").labels[0];
  };
  using List = std::vector<std::string>;
  EXPECT_EQ(labels("['x' 'y'\n 'z']"), (List{"x", "y", "z"}));
  EXPECT_EQ(labels("('x', 'y')"), (List{"x", "y"}));
  EXPECT_EQ(labels("[1, 2]"), (List{"1", "2"}));
  EXPECT_EQ(labels("[1 2]"), (List{"1", "2"}));
  EXPECT_EQ(labels("['it\\'s \"\"q\"\"', 'a,b', '[x]']"), (List{"it's \"q\"", "a,b", "[x]"}));
  EXPECT_EQ(labels("(none)"), (List{"(none)"}));
  const auto separated = load({many("", "a #\t1,2\n", "b #\t2\n")}, ".tsv", {.label_separator = ","});
  EXPECT_TRUE(separated.sets);
  EXPECT_EQ(separated.labels[0], (List{"1", "2"}));
  EXPECT_EQ(load({many("", "a #\t1,2\n", "b #\t2\n")}, ".tsv").report.combined, "1,2");
  const auto flags =
      load({"text,toxic,threat\na,1,0\nb,0,0\nc,1,1.0\n"}, ".csv", {.label_columns = {"toxic", "threat"}});
  EXPECT_EQ(flags.labels, (Labels1{{"toxic"}, {}, {"toxic", "threat"}}));
}

// T7
TEST(LabelledTexts, QuotingIsToldByWhatCutsRowsAlike) {
  EXPECT_EQ(
      load({many("\"label\"\t\"text\"\n", "\"a\"\t\"x\ny \"\"#\"\"\"\n", "\"b\"\t\"z\"\n")}, ".tsv").texts[0],
      "x\ny \"0\"");
  EXPECT_EQ(load({many("label\ttext\n", "a\t\"x\" y #\n", "b\tz\n")}, ".tsv").texts[0], "\"x\" y 0");
  EXPECT_EQ(load({many("label,text\n", "a,\"x \\\"#\\\", y\"\n", "b,z\n")}, ".csv").texts[0], "x \"0\", y");
  // The first quotes come long after the rows that were looked at.
  std::string content = "label\ttext\n";
  for (int i = 0; i < 2000; ++i) content += (i % 2 ? "a\tx " : "b\ty ") + std::to_string(i) + "\n";
  EXPECT_EQ(load({content + "a\t\"x\" y\n"}, ".tsv").texts.back(), "\"x\" y");
  EXPECT_EQ(load({content + "a\t\"x\ny\"\n"}, ".tsv").texts.back(), "x\ny");
}

// T7
TEST(LabelledTexts, RowsOfEmptyCellsArePassedOverAndCounted) {
  const auto loaded = load({many("label;text\n", "a;x #\n", "b;y #\n") + ";\n;\n  \n"}, ".csv");
  EXPECT_EQ(loaded.report.rows, 40);
  EXPECT_EQ(loaded.report.empty_rows, 2);
}

// T9
TEST(LabelledTexts, LabelsAreTrimmed) {
  EXPECT_EQ(load({"label,text\n a ,x\na\u00A0,y\n"}, ".csv").labels, (Labels1{{"a"}, {"a"}}));
}

// T11
TEST(LabelledTexts, LongRowsAreLookedAtWhole) {
  const std::string text(300000, 'x');
  EXPECT_EQ(load({"label,text\na,\"" + text + ", y\"\nb,z\n"}, ".csv").texts[0].size(), text.size() + 3);
}

// T5
TEST(ReadTexts, AFileInTheTrainingLayoutGivesItsTextsAlone) {
  const TemporaryFolder folder;
  const auto read = [&](const Layout& trained, const std::string& content) {
    const auto path = (folder / "texts").string();
    std::ofstream(path) << content;
    std::vector<std::string> texts;
    read_texts(path, {},
               {.layout = &trained, .knows_label = [](auto label) { return label == "a" || label == "b"; }},
               {}, [&](const ReadText& row) { texts.emplace_back(row.text); });
    return texts;
  };
  Layout csv{.format = InputFormat::Csv, .delimiter = ',', .quoting = Quoting::Rfc4180, .header = true};
  csv.columns = {"label", "text"};
  csv.texts = {1};
  csv.labels = {0};
  EXPECT_EQ(read(csv, "id,text\n1,\"x\ny\"\n2,z\n"), (Texts1{"x\ny", "z"}));
  EXPECT_EQ(read(csv, "a,x\nb,y\n"), (Texts1{"x", "y"}));
  EXPECT_EQ(read(csv, "so, x\nwell, y\n"), (Texts1{"so, x", "well, y"})) << "no labels of the training";
  const Layout words{.format = InputFormat::LabelText};
  EXPECT_EQ(read(words, "a x\nb y\n"), (Texts1{"x", "y"}));
  EXPECT_EQ(read(words, "a x\nmore y\n"), (Texts1{"a x", "more y"}));
}

TEST(LabelledTexts, AFolderHoldsAFolderForEachClass) {
  const TemporaryFolder folder;
  for (const auto& [name, text] :
       {std::pair{"pos/1.txt", "good\none\n"}, {"neg/1.txt", "bad"}, {"unsup/1.txt", "?"}}) {
    std::filesystem::create_directories((folder / name).parent_path());
    std::ofstream(folder / name) << text;
  }
  const auto path = folder.path().string();
  const auto read = read_labelled_texts(std::span(&path, 1), {});
  EXPECT_EQ(read.report.rows, 2);
  EXPECT_EQ(read.report.unlabelled, 1);
  EXPECT_EQ(read.texts[1], "good\none");
}

TEST(LabelledTexts, ColumnsAreChosenByNameOrNumber) {
  const std::string content = "id,body,verdict\n7,a b,x\n8,c d,y\n";
  EXPECT_EQ(load({content}, ".csv", {.text_columns = {"body"}, .label_columns = {"verdict"}}).texts,
            (Texts1{"a b", "c d"}));
  EXPECT_EQ(load({content}, ".csv",
                 {.text_columns = {"2"}, .label_columns = {"3"}, .table = {.header = Header::Yes}})
                .labels,
            (Labels1{{"x"}, {"y"}}));
  EXPECT_THROW(load({content}, ".csv", {.text_columns = {"4"}, .label_columns = {"3"}}), Error);
  EXPECT_THROW(load({content}, ".csv", {.text_columns = {"body"}, .label_columns = {"body"}}), Error);
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
  const auto loaded = load({content}, ".csv", {.table = {.bad_rows = BadRows::Skip}});
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
  const auto take = [&](const ReadText& row) { texts.emplace_back(row.text); };
  EXPECT_EQ(read_texts(path, {}, {}, {}, take).rows, 2);
  EXPECT_EQ(texts, (Texts1{"a b", "c,\nd"}));
  texts.clear();
  read_texts(path, {.format = InputFormat::Lines}, {}, {}, take);
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
      {"imdb/train.tsv.gz", 25000, 2, {.text_columns = {"4"}, .label_columns = {"1"}}},
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
  const auto read = read_labelled_texts(std::span(&tags, 1), {});
  EXPECT_TRUE(read.sets);
  EXPECT_GT(read.report.rows, 52000);
  EXPECT_EQ(read.report.headers, 1) << "the header comes again in the middle";
}

}  // namespace
}  // namespace semblance
