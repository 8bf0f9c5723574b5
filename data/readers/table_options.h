// How the rows of a file are cut and decoded, whatever they hold.
#pragma once

#include <array>
#include <string>

#include "data/fields.h"

namespace semblance {

enum class Header { Auto, Yes, No };
enum class Quoting { Auto, Rfc4180, Backslash, None };
enum class BadRows { Error, Skip };

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

struct TableOptions {
  std::string delimiter;
  Header header = Header::Auto;
  Quoting quoting = Quoting::Auto;
  std::string encoding = kAutoEncoding;
  BadRows bad_rows = BadRows::Error;

  void fields(FieldList& list) {
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
