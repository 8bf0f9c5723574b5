// Texts as HTML and SVG hold them.
#pragma once

#include <string>
#include <string_view>

namespace semblance {

/// `text` as it may stand between tags and within a quoted attribute. Control characters, which HTML forbids,
/// become U+FFFD.
std::string escape_markup(std::string_view text);

}  // namespace semblance
