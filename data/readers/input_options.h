// How a file of texts is laid out (row 1.4).
#pragma once

#include <array>
#include <string>
#include <vector>

#include "data/readers/table_options.h"

namespace semblance {

enum class InputFormat { Auto, Csv, Tsv, FastText, LabelText, Lines, RuTweetCorp, JsonLines };

template <>
struct EnumNames<InputFormat> {
  static constexpr std::array names{std::pair{InputFormat::Auto, "auto"},
                                    std::pair{InputFormat::Csv, "csv"},
                                    std::pair{InputFormat::Tsv, "tsv"},
                                    std::pair{InputFormat::FastText, "fasttext"},
                                    std::pair{InputFormat::LabelText, "label-text"},
                                    std::pair{InputFormat::Lines, "lines"},
                                    std::pair{InputFormat::RuTweetCorp, "rutweetcorp"},
                                    std::pair{InputFormat::JsonLines, "jsonl"}};
};
struct InputOptions {
  InputFormat format = InputFormat::Auto;
  std::vector<std::string> text_columns;
  std::vector<std::string> label_columns;
  std::string label_separator;
  std::string label_prefix = "__label__";
  TableOptions table;

  void fields(FieldList& list) {
    list.add("input-format", format, {.help = "layout of the text files; auto looks at their rows"});
    list.add("text-column", text_columns,
             {.help = "column of the text; given several times, the columns are joined",
              .hint = "NAME|NUMBER",
              .repeated = true});
    list.add("label-column", label_columns,
             {.help = "column of the label; given several times, each is a label and holds 0 or 1",
              .hint = "NAME|NUMBER",
              .repeated = true});
    list.add("label-separator", label_separator,
             {.help = "what stands between the labels of a text that may have several", .hint = "TEXT"});
    list.add("label-prefix", label_prefix, {.help = "how the labels of fasttext lines begin"});
    table.fields(list);
  }
};

}  // namespace semblance
