// What reads files of any content: each takes bytes as a file of its kind. An Error is an answer; any other
// end is a find.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace semblance {

struct Parser {
  const char* name;
  void (*read)(std::string_view bytes);
  std::vector<std::string> (*examples)();  ///< to start from
};

std::span<const Parser> parsers();

}  // namespace semblance
