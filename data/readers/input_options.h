// How a file of texts is laid out (row 1.4).
#pragma once

#include <array>
#include <string>
#include <vector>

#include "data/fields.h"

namespace semblance {

enum class InputFormat { Auto, Csv, Tsv, FastText, LabelText, Lines, RuTweetCorp, JsonLines };
enum class Header { Auto, Yes, No };
enum class Quoting { Auto, Rfc4180, Backslash, None };
enum class BadRows { Error, Skip };

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
template <>
struct EnumNames<Header> {
  static constexpr std::array names{std::pair{Header::Auto, "auto"}, std::pair{Header::Yes, "yes"},
                                    std::pair{Header::No, "no"}};
};
template <>
struct EnumNames<Quoting> {
  static constexpr std::array names{std::pair{Quoting::Auto, "auto"}, std::pair{Quoting::Rfc4180, "rfc4180"},
                                    std::pair{Quoting::Backslash, "backslash"},
                                    std::pair{Quoting::None, "none"}};
};
template <>
struct EnumNames<BadRows> {
  static constexpr std::array names{std::pair{BadRows::Error, "error"}, std::pair{BadRows::Skip, "skip"}};
};

/// An encoding that is UTF-8 unless a byte-order mark says otherwise.
inline constexpr const char* kAutoEncoding = "auto";

struct InputOptions {
  InputFormat format = InputFormat::Auto;
  std::vector<std::string> text_columns;
  std::vector<std::string> label_columns;
  std::string label_separator;
  std::string label_prefix = "__label__";
  std::string delimiter;
  Header header = Header::Auto;
  Quoting quoting = Quoting::Auto;
  std::string encoding = kAutoEncoding;
  BadRows bad_rows = BadRows::Error;

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
    list.add(
        "delimiter", delimiter,
        {.help = "character between columns; by default the one that cuts rows alike", .hint = "CHARACTER"});
    list.add("header", header,
             {.help = "whether the first row names the columns; auto: it is unlike others"});
    list.add("quoting", quoting,
             {.help = "whether fields may be quoted as in RFC 4180, or with backslashes before quotes; auto: "
                      "as cuts all rows alike"});
    list.add("encoding", encoding,
             {.help = "of the files, such as windows-1251; auto: UTF-8, or as a byte-order mark says",
              .hint = "NAME"});
    list.add("bad-rows", bad_rows, {.help = "stop at a row that cannot be used, or skip and count it"});
  }
};

}  // namespace semblance
