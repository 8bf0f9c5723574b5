#include "data/text/markup.h"

namespace semblance {

std::string escape_markup(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        if ((c >= 0 && c < ' ' && c != '\t' && c != '\n') || c == 0x7F)
          out += "\uFFFD";
        else
          out += c;
    }
  return out;
}

}  // namespace semblance
