// Words that carry grammar and little else.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace semblance {

/// The built-in list for "en" or "ru" (lower case), or an empty one for any other name.
std::vector<std::string> built_in_stop_words(std::string_view language);

/// One word a line, blank lines ignored. Throws Error(Data).
std::vector<std::string> read_stop_words(const std::string& path);

}  // namespace semblance
