// What `predict` prints for each row of its input.
#pragma once

#include <array>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "data/readers/labelled_texts.h"
#include "training/serving/classifier.h"

namespace semblance {

enum class OutputFormat { JsonLines, Csv, Tsv };

template <>
struct EnumNames<OutputFormat> {
  static constexpr std::array names{std::pair{OutputFormat::JsonLines, "jsonl"},
                                    std::pair{OutputFormat::Csv, "csv"}, std::pair{OutputFormat::Tsv, "tsv"}};
};

struct AnswerOptions {
  OutputFormat format = OutputFormat::JsonLines;
  PredictOptions predict;

  void fields(FieldList& list) {
    list.add("output-format", format,
             {.help = "a JSON object for each text, or a row of a table whose first row names its columns"});
    predict.fields(list);
  }
};

/// A line for each row read, in order: the row's columns that hold neither text nor label, then the answer. A
/// row that was left out has an empty answer: null, or empty cells.
class Answers {
 public:
  Answers(const AnswerOptions& options, bool multi_label, std::span<const std::string> classes);

  /// What the rows that follow have beside their texts; where they are rows of a table, prints its header.
  void begin(const Layout& layout);
  void keep(const ReadText& row);
  int64_t waiting() const { return static_cast<int64_t>(rows_.size()); }
  /// Prints a line for each row that was kept since; `predictions` are those of the rows not left out.
  void print(std::span<const Prediction> predictions);

 private:
  struct Row {
    Json others;  // an object
    bool left_out;
  };

  Json answer(const Prediction* prediction) const;
  std::string line(const Json& values) const;

  AnswerOptions options_;
  bool lists_;
  std::span<const std::string> classes_;
  std::vector<std::string> columns_;                    // of the input
  std::vector<std::pair<std::string, size_t>> others_;  // their names, and columns of the input
  std::vector<Row> rows_;
};

}  // namespace semblance
