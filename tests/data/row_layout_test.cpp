// Rows of texts in the files that people have (R5): what is guessed holds for the whole file, or is refused.
#include "data/readers/row_layout.h"

#include <gtest/gtest.h>

#include <fstream>

#include "data/readers/text_rows.h"
#include "tests/temporary_folder.h"

namespace semblance {
namespace {

using Strings = std::vector<std::string>;

struct ReadRows {
  std::vector<Strings> texts, negatives;
  std::vector<double> scores;
  std::string notices;
};

class RowFiles : public testing::Test {
 protected:
  ReadRows read(const std::string& name, const std::string& content, const RowFileOptions& options = {},
                RowKind kind = RowKind::Duplicates, const RowLayout* settled = nullptr) {
    std::ofstream(folder_ / name) << content;
    ReadRows rows;
    TextRowReader reader(folder_ / name, options, kind, settled);
    for (TextRow row; reader.next(row);) {
      rows.texts.emplace_back(row.texts.begin(), row.texts.end());
      rows.negatives.emplace_back(row.negatives.begin(), row.negatives.end());
      if (reader.layout().score) rows.scores.push_back(row.score);
    }
    reader.finish([&](const std::string& line) { rows.notices += line + "\n"; });
    layout_ = reader.layout();
    return rows;
  }
  std::string refusal(const std::string& name, const std::string& content, const RowFileOptions& options = {},
                      RowKind kind = RowKind::Duplicates) {
    try {
      read(name, content, options, kind);
    } catch (const Error& error) {
      return error.what();
    }
    return "none";
  }

  TemporaryFolder folder_;
  RowLayout layout_;
};

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

const std::string kRows = "how is it\twhat is it\twho is it\nwhere to go\twhither to go\n";

TEST_F(RowFiles, TabSeparatedRowsWithoutNamesAreDuplicatesOfEachOther) {
  const auto rows = read("rows.tsv", kRows);
  EXPECT_EQ(rows.texts, (std::vector<Strings>{{"how is it", "what is it", "who is it"},
                                              {"where to go", "whither to go"}}));
  EXPECT_TRUE(has(rows.notices, "read as tsv without header, duplicates of each other in a row, 2 rows"))
      << rows.notices;
}

TEST_F(RowFiles, RankedRowsAreAQuestionItsDuplicateAndNegatives) {
  const auto rows = read("rows.tsv", kRows + "an odd one\t\tand so on\t\n", {}, RowKind::Ranked);
  EXPECT_EQ(rows.texts[2], (Strings{"an odd one", ""})) << "a duplicate that is empty is still the duplicate";
  EXPECT_EQ(rows.negatives, (std::vector<Strings>{{"who is it"}, {}, {"and so on"}}))
      << "no empty candidates";
}

TEST_F(RowFiles, AColumnOfNumbersOrOfOneValueOrOfClassesIsNotTakenForTexts) {
  const struct {
    std::string name, cells[3];
  } columns[] = {{"numbers (4.8)", {"4.8", "0.2", "3"}},
                 {"numbers (1)", {"1", "0", "NA"}},
                 {"the same in every row (quora)", {"quora", "quora", "quora"}}};
  for (const auto& [what, cells] : columns) {
    std::string content;
    for (int i = 0; i < 3; ++i) content += fmt::format("how is it {0}\twhat is it {0}\t{1}\n", i, cells[i]);
    const auto told = refusal("rows.tsv", content);
    EXPECT_TRUE(has(told, "rows.tsv: expected texts in every column, found " + what + " in column 3"))
        << told;
    EXPECT_TRUE(has(told, "--columns 1,2")) << told;
    EXPECT_EQ(read("rows.tsv", content, {.columns = {"1,2"}}).texts[0].size(), 2u);
    EXPECT_EQ(read("rows.tsv", content, {.columns = {"1", "2", "3"}}).texts.back().size(), 3u)
        << "who names a column means it";
  }
  std::string classes;
  for (int i = 0; i < 50; ++i)
    classes += fmt::format("how is it {0}\twhat is it {0}\t{1}\n", i, i % 2 ? "same" : "other");
  EXPECT_TRUE(has(refusal("rows.tsv", classes), "classes (other) in column 3"));
}

TEST_F(RowFiles, WhatAColumnHoldsIsKnownOnlyAtTheEnd) {
  std::string late = "how is it\twhat is it\tone more of it\n";
  for (int i = 0; i < 20000; ++i) late += fmt::format("how is it {0}\twhat is it {0}\t{0}\n", i);
  EXPECT_TRUE(has(refusal("rows.tsv", late), "numbers (one more of it) in column 3"));
}

TEST_F(RowFiles, RowsOfThreeTextsAndNoMoreAreToldOf) {
  const std::string triplets =
      "a card lost\tlost my card\tfind a bank\nopen it up\tup with it\tshut it now\n";
  EXPECT_TRUE(has(read("rows.tsv", triplets).notices,
                  "warning: " + (folder_ / "rows.tsv").string() + ": every row has 3 texts"));
  const auto rows = read("rows.tsv", triplets, {.columns = {"1,2"}, .negatives_columns = {"3"}});
  EXPECT_FALSE(has(rows.notices, "warning"));
  EXPECT_EQ(rows.texts[1], (Strings{"open it up", "up with it"}));
  EXPECT_EQ(rows.negatives[1], (Strings{"shut it now"}));
}

const std::string kQuora =
    "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n"
    "0\t1\t2\tWhat is it?\tWhich is it?\t1\n"
    "1\t3\t4\tHow to invest?\tHow, to go?\t0\n";

TEST_F(RowFiles, AHeaderOfManyColumnsAsksForThoseOfTheTexts) {
  const auto told = refusal("questions.tsv", kQuora);
  EXPECT_TRUE(has(told,
                  "found id, qid1, qid2, question1, question2, is_duplicate; say --columns "
                  "question1,question2 (and --score-column is_duplicate)"))
      << told;
  EXPECT_TRUE(has(refusal("t.csv", "anchor,positive,negative\nthe lost card,my card is lost,open it\n"),
                  "--columns anchor,positive, or others (and --negatives-column negative)"));
  const auto rows =
      read("questions.tsv", kQuora, {.columns = {"question2", "question1"}, .score_column = "is_duplicate"});
  EXPECT_EQ(rows.texts[0], (Strings{"Which is it?", "What is it?"})) << "in the order that was asked for";
  EXPECT_EQ(rows.scores, (std::vector<double>{1, 0}));
  EXPECT_EQ(read("questions.tsv", kQuora, {.columns = {"4", "5"}}).texts.size(), 2u) << "by number";
}

TEST_F(RowFiles, AHeaderIsToldFromTheRowsBelowIt) {
  const std::string scored = "sentence1\tsentence2\tscore\na b\tc d\t4.8\ne f\tg h\t1\n";
  EXPECT_EQ(read("rows.tsv", scored, {.score_column = "3"}).texts,
            (std::vector<Strings>{{"a b", "c d"}, {"e f", "g h"}}));
  const std::string pair = "query\tanswer\nhow is it\tit is so\nwhere is it\tthere it is\n";
  EXPECT_EQ(read("rows.tsv", pair).texts.size(), 2u);
  EXPECT_EQ(read("rows.tsv", pair, {.table = {.header = Header::No}}).texts.size(), 3u);
  EXPECT_EQ(read("rows.tsv", "how\twhat\nis\twas\nit\tthis\n").texts.size(), 3u) << "words of a dictionary";
  std::string intents = "text,category\n";
  for (int i = 0; i < 60; ++i) intents += fmt::format("my card is lost {},card_{}\n", i, i % 3);
  EXPECT_TRUE(has(refusal("rows.csv", intents), "classes (card_0) in column 2 (category)"));
}

TEST_F(RowFiles, AHeaderThatComesAgainIsNoRow) {
  const std::string joined = "query\tanswer\nhow is it\tit is so\nquery\tanswer\nwhere is it\tthere it is\n";
  EXPECT_TRUE(has(refusal("rows.tsv", joined, {.columns = {"query,answer"}}),
                  ":3: expected texts that are duplicates of each other, found the header again"));
  const auto rows =
      read("rows.tsv", joined, {.columns = {"query,answer"}, .table = {.bad_rows = BadRows::Skip}});
  EXPECT_EQ(rows.texts.size(), 2u);
  EXPECT_TRUE(has(rows.notices, "left out 1 bad row(s)"));
}

TEST_F(RowFiles, ColumnsThatAreNotThereAreNamed) {
  EXPECT_TRUE(has(refusal("q.tsv", kQuora, {.columns = {"question1,answer"}}),
                  ":1: expected a column 'answer' (--columns), found: id, qid1"));
  EXPECT_TRUE(has(refusal("q.tsv", kQuora, {.columns = {"4,7"}}), "expected a column '7'"));
  EXPECT_TRUE(
      has(refusal("rows.tsv", kRows, {.columns = {"question1,question2"}}),
          "expected a column 'question1,question2'") ||
      has(refusal("rows.tsv", kRows, {.columns = {"question1,question2"}}), "expected a column 'question1'"));
  EXPECT_TRUE(
      has(refusal("q.tsv", kQuora, {.columns = {"question1", "question1"}}), "found 'question1' twice"));
  EXPECT_TRUE(has(refusal("q.tsv", kQuora, {.columns = {"question1,question2"}, .score_column = "question2"}),
                  "named for something else too"));
}

TEST_F(RowFiles, CsvIsReadAsPandasWritesIt) {
  const std::string content = "question1;question2;neg\n\"a; \"\"b\"\"\nc\";d e;\nf g;h i;\"j; k\"\n";
  const auto rows =
      read("rows.csv", content, {.columns = {"question1,question2"}, .negatives_columns = {"neg"}});
  EXPECT_EQ(rows.texts[0], (Strings{"a; \"b\"\nc", "d e"}));
  EXPECT_EQ(rows.negatives, (std::vector<Strings>{{}, {"j; k"}})) << "any row may lack one";
  EXPECT_TRUE(has(rows.notices,
                  "csv with header, duplicates in column 1 (question1) and column 2 (question2), "
                  "negatives in column 3 (neg), 2 rows"))
      << rows.notices;
}

TEST_F(RowFiles, QuotesInTabSeparatedRowsAreThoseOfTheTextsUnlessTheyCutThem) {
  const std::string spoken = "\"so it is\", he said\tso he said\n\"no\" is a word\tno word\n";
  EXPECT_EQ(read("rows.tsv", spoken).texts[0][0], "\"so it is\", he said");
  const std::string quoted = "question1\tquestion2\n\"a \"\"b\"\"\tc\"\td e\nf g\th i\n";
  EXPECT_EQ(read("rows.tsv", quoted, {.columns = {"question1,question2"}}).texts[0],
            (Strings{"a \"b\"\tc", "d e"}));
}

TEST_F(RowFiles, OtherEncodingsAreDecodedOrAskedFor) {
  const std::string utf8 = "как дела\tкак вы\nгде он\tкуда он\n";
  std::string cp1251, utf16 = "\xFF\xFE";
  for (size_t i = 0; i < utf8.size(); ++i) {
    const auto byte = static_cast<unsigned char>(utf8[i]);
    const unsigned code = byte < 0x80 ? byte : ((byte & 0x1Fu) << 6) | (utf8[++i] & 0x3Fu);
    cp1251 += static_cast<char>(code < 0x80 ? code : code - 0x410 + 0xC0);
    utf16 += {static_cast<char>(code & 0xFF), static_cast<char>(code >> 8)};
  }
  const auto expected = read("utf8.tsv", utf8).texts;
  EXPECT_EQ(read("utf16.tsv", utf16).texts, expected);
  EXPECT_TRUE(has(refusal("cp1251.tsv", cp1251), "name the encoding with --encoding"));
  EXPECT_EQ(read("cp1251.tsv", cp1251, {.table = {.encoding = "windows-1251"}}).texts, expected);
  const auto settled = row_layout_from_json(row_layout_to_json(layout_));
  EXPECT_EQ(read("other.tsv", cp1251, {}, RowKind::Ranked, &settled).texts, expected) << "as was trained on";
  EXPECT_EQ(read("utf8.tsv", utf8, {}, RowKind::Ranked, &settled).texts, expected);
}

TEST_F(RowFiles, ALineThatTellsTheDelimiterIsNoRow) {
  const auto expected = std::vector<Strings>{{"how, is it", "what is it"}, {"where", "whither"}};
  EXPECT_EQ(read("e.csv", "sep=;\r\nhow, is it;what is it\r\nwhere;whither\r\n").texts, expected);
  const auto rows = read("e.csv", "sep=;\nquery;answer;score\nhow, is it;what is it;1\nwhere;whither;0\n",
                         {.score_column = "score"});
  EXPECT_EQ(rows.texts, expected);
  EXPECT_TRUE(has(rows.notices, "csv with header, after 1 line(s) that are no rows")) << rows.notices;
}

TEST_F(RowFiles, BackslashesBeforeQuotes) {
  const std::string content =
      "query,answer\n\"a \\\"b\\\", c\",\"d, e\"\n\"f\",\"g, \\\"h\\\"\"\n\"i j\",\"k\"\n";
  EXPECT_EQ(read("rows.csv", content).texts,
            (std::vector<Strings>{{"a \"b\", c", "d, e"}, {"f", "g, \"h\""}, {"i j", "k"}}));
}

// As pandas writes an index: a column of numbers, which has no name.
TEST_F(RowFiles, AnIndexWithoutANameIsUnderAHeader) {
  const std::string content = ",question1,question2\n0,how is it,\"what, is it\"\n1,where,whither\n";
  EXPECT_EQ(read("rows.csv", content, {.columns = {"2,3"}}).texts,
            (std::vector<Strings>{{"how is it", "what, is it"}, {"where", "whither"}}));
  EXPECT_TRUE(layout_.header);
  const std::string nonnumeric = "0\t\"how is it\"\t\"what is it\"\n1\t\"where\"\t\"whither\"\n";
  EXPECT_EQ(read("rows.tsv", nonnumeric, {.columns = {"2,3"}}).texts[0],
            (Strings{"how is it", "what is it"}));
}

TEST_F(RowFiles, BackslashesBetweenTabs) {
  const std::string content =
      "question1\tquestion2\nI loved the \\\"film\\\" now\tis it?\\\nreally\nwhat\\\tof it\tall of it\n";
  EXPECT_EQ(
      read("rows.tsv", content).texts,
      (std::vector<Strings>{{"I loved the \"film\" now", "is it?\nreally"}, {"what\tof it", "all of it"}}));
}

TEST_F(RowFiles, DelimitersAreToldFromTheSignsOfTexts) {
  const std::string content = "I hated, the film;how, was it\nI loved, the film;so, how was it\n";
  EXPECT_EQ(read("rows.csv", content).texts[0], (Strings{"I hated, the film", "how, was it"}));
  EXPECT_EQ(read("rows.txt", content).texts[0], (Strings{"I hated, the film", "how, was it"}))
      << "without a tab there are no rows between tabs";
}

TEST_F(RowFiles, JsonLinesByTheirKeys) {
  const std::string content =
      "{\"query\": \"how is it\", \"pos\": [\"what is it\", \"who is it\"], \"neg\": [\"go on\"], \"id\": "
      "1}\n"
      "{\"neg\": null, \"pos\": [\"whither\"], \"query\": \"where\", \"meta\": {\"x\": 1}}\n";
  const RowFileOptions options{.columns = {"query,pos"}, .negatives_columns = {"neg"}};
  const auto rows = read("rows.jsonl", content, options);
  EXPECT_EQ(rows.texts,
            (std::vector<Strings>{{"how is it", "what is it", "who is it"}, {"where", "whither"}}));
  EXPECT_EQ(rows.negatives, (std::vector<Strings>{{"go on"}, {}}));
  EXPECT_EQ(
      read("rows.jsonl", "{\"q\": \"a b\", \"d\": \"c d\"}\n[\"e f\", \"g h\", \"i j\", \"k l\"]\n").texts[1],
      (Strings{"e f", "g h"}))
      << "items of a list stand in the columns of the keys";
  EXPECT_TRUE(has(refusal("rows.jsonl", content), "found query, pos, neg, id"));
  EXPECT_EQ(read("rows.jsonl", "[\"a b\", \"c d\"]\n\n[\"e\", \"f\", \"g\"]\n").texts.size(), 2u);
  EXPECT_TRUE(
      has(refusal("rows.jsonl", "[\"a\", \"b\"]\n{\"a\": \n"), "rows.jsonl:2: expected an object or a list"));
}

TEST_F(RowFiles, AScoreIsANumberBesideTwoTexts) {
  const RowFileOptions options{.score_column = "3"};
  EXPECT_EQ(read("rows.tsv", "a b\tc d\t0.5\ne f\tg h\t+1e-1\n", options).scores,
            (std::vector<double>{0.5, 0.1}));
  EXPECT_TRUE(has(refusal("rows.tsv", "a b\tc d\t0.5\ne f\tg h\tx\n", options),
                  ":2: expected a number in column 3, found 'x'"));
  EXPECT_TRUE(has(refusal("rows.tsv", "a b\tc d\t0.5\ne f\tg h\tnan\n", options), "found 'nan'"));
  EXPECT_TRUE(
      has(refusal("rows.tsv", "a b\tc d\t1\te f\n", options), "expected two texts beside their score"));
}

TEST_F(RowFiles, OtherFilesOfTheSameColumnsAreReadAlike) {
  read("q.tsv", kQuora, {.columns = {"question1,question2"}, .score_column = "is_duplicate"});
  Json kept = row_layout_to_json(layout_);
  auto settled = row_layout_from_json(kept);
  const std::string other = "is_duplicate,question2,question1\n1,c d,a b\n";
  EXPECT_EQ(read("o.csv", other, {}, RowKind::Ranked, &settled).texts, (std::vector<Strings>{{"a b", "c d"}}))
      << "by name, in another order and format";
  EXPECT_EQ(layout_.score, 0u);
  EXPECT_EQ(read("r.tsv", kRows, {}, RowKind::Ranked, &settled).negatives[0], Strings{"who is it"})
      << "what is laid out otherwise is recognised by itself";
  read("n.csv", "1,a b,c d,0\n2,e f,g h,1\n", {.columns = {"2,3"}, .score_column = "4"});
  settled = row_layout_from_json(row_layout_to_json(layout_));
  EXPECT_EQ(read("m.csv", "7,i j,k l,1\n", {}, RowKind::Ranked, &settled).texts[0], (Strings{"i j", "k l"}));
  EXPECT_EQ(row_layout_to_json(RowLayout{}), Json(nullptr));
  kept["texts"] = {9};
  EXPECT_THROW(row_layout_from_json(kept), Error);
}

}  // namespace
}  // namespace semblance
