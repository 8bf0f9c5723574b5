// What a row's cells say of its labels.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace semblance {

/// `text` without the white space (Unicode's) at its ends.
std::string_view trim(std::string_view text);

/// The items of a list as Python, numpy or JSON print it: "['php', 'mysql']", "['php' 'mysql']", "(1, 2)",
/// quoted items with backslashes before quotes. False if `cell` is no such list.
bool parse_label_list(std::string_view cell, std::vector<std::string>& items);

/// The parts of `cell` between separators, trimmed; empty ones are left out.
void split_labels(std::string_view cell, std::string_view separator, std::vector<std::string>& items);

/// Whether a cell of a 0/1 column is 1: 0, 1, 0.0, 1.0, true, false. Returns false if it is none of these.
bool parse_flag(std::string_view cell, bool& flag);

}  // namespace semblance
