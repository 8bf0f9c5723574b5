// How a file of texts is laid out (row 1.4).
#pragma once

#include <array>
#include <string>

#include "data/fields.h"

namespace semblance {

enum class InputFormat { Auto, Csv, Tsv, FastText, LabelText, Lines, RuTweetCorp };
enum class Header { Auto, Yes, No };
enum class Quoting { Auto, Rfc4180, None };
enum class BadRows { Error, Skip };

template <>
struct EnumNames<InputFormat> {
  static constexpr std::array names{std::pair{InputFormat::Auto, "auto"},
                                    std::pair{InputFormat::Csv, "csv"},
                                    std::pair{InputFormat::Tsv, "tsv"},
                                    std::pair{InputFormat::FastText, "fasttext"},
                                    std::pair{InputFormat::LabelText, "label-text"},
                                    std::pair{InputFormat::Lines, "lines"},
                                    std::pair{InputFormat::RuTweetCorp, "rutweetcorp"}};
};
template <>
struct EnumNames<Header> {
  static constexpr std::array names{std::pair{Header::Auto, "auto"}, std::pair{Header::Yes, "yes"},
                                    std::pair{Header::No, "no"}};
};
template <>
struct EnumNames<Quoting> {
  static constexpr std::array names{std::pair{Quoting::Auto, "auto"}, std::pair{Quoting::Rfc4180, "rfc4180"},
                                    std::pair{Quoting::None, "none"}};
};
template <>
struct EnumNames<BadRows> {
  static constexpr std::array names{std::pair{BadRows::Error, "error"}, std::pair{BadRows::Skip, "skip"}};
};

struct InputOptions {
  InputFormat format = InputFormat::Auto;
  std::string text_column;
  std::string label_column;
  std::string delimiter;
  Header header = Header::Auto;
  Quoting quoting = Quoting::Auto;
  BadRows bad_rows = BadRows::Error;

  void fields(FieldList& list) {
    list.add("input-format", format, {.help = "layout of the text files; auto looks at their first lines"});
    list.add("text-column", text_column, {.help = "column of the text", .hint = "NAME|NUMBER"});
    list.add("label-column", label_column, {.help = "column of the label", .hint = "NAME|NUMBER"});
    list.add("delimiter", delimiter,
             {.help = "character between columns; default , for csv, tab for tsv", .hint = "CHARACTER"});
    list.add("header", header, {.help = "whether the first row names the columns"});
    list.add("quoting", quoting,
             {.help = "whether fields may be quoted as in RFC 4180; auto: csv yes, tsv no"});
    list.add("bad-rows", bad_rows, {.help = "stop at a row that cannot be used, or skip and count it"});
  }
};

}  // namespace semblance
