#include "data/text/unicode.h"

#include <utf8proc.h>

#include <cstring>
#include <memory>

namespace semblance {
namespace {

// Length of the valid character at the start of `text`, or minus the length of the ill-formed part there.
int character_length(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  int length;
  unsigned low = 0x80, high = 0xBF;  // range of the second byte
  if (first >= 0xC2 && first <= 0xDF) {
    length = 2;
  } else if (first >= 0xE0 && first <= 0xEF) {
    length = 3;
    if (first == 0xE0) low = 0xA0;
    if (first == 0xED) high = 0x9F;
  } else if (first >= 0xF0 && first <= 0xF4) {
    length = 4;
    if (first == 0xF0) low = 0x90;
    if (first == 0xF4) high = 0x8F;
  } else {
    return -1;
  }
  for (int i = 1; i < length; ++i) {
    if (static_cast<size_t>(i) >= text.size() || byte(i) < low || byte(i) > high) return -i;
    low = 0x80;
    high = 0xBF;
  }
  return length;
}

size_t ascii_prefix(std::string_view text) {
  size_t i = 0;
  for (; i + 8 <= text.size(); i += 8) {
    uint64_t word;
    std::memcpy(&word, text.data() + i, 8);
    if (word & 0x8080808080808080u) break;
  }
  while (i < text.size() && static_cast<unsigned char>(text[i]) < 0x80) ++i;
  return i;
}

CharacterProperties look_up(char32_t character) {
  const auto code = static_cast<utf8proc_int32_t>(character);
  const auto* info = utf8proc_get_property(code);
  CharacterProperties p{};
  p.lower = static_cast<char32_t>(utf8proc_tolower(code));
  switch (info->category) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
      p.letter_or_number = true;
      break;
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
      p.mark = true;
      break;
    case UTF8PROC_CATEGORY_PC:
    case UTF8PROC_CATEGORY_PD:
    case UTF8PROC_CATEGORY_PS:
    case UTF8PROC_CATEGORY_PE:
    case UTF8PROC_CATEGORY_PI:
    case UTF8PROC_CATEGORY_PF:
    case UTF8PROC_CATEGORY_PO:
    case UTF8PROC_CATEGORY_CC:
      p.strippable = true;
      break;
    default:
      break;
  }
  if (character < 0x80 && std::strchr("$+<=>^`|~", static_cast<int>(character)) && character != 0)
    p.strippable = true;  // ASCII symbols that everyone calls punctuation
  if (character == 0xFEFF) p.strippable = true;
  p.space = info->category == UTF8PROC_CATEGORY_ZS || info->bidi_class == UTF8PROC_BIDI_CLASS_WS ||
            info->bidi_class == UTF8PROC_BIDI_CLASS_B || info->bidi_class == UTF8PROC_BIDI_CLASS_S;
  return p;
}

using PropertyTable = std::array<CharacterProperties, 0x10000>;

}  // namespace

bool is_valid_utf8(std::string_view text) {
  while (true) {
    text.remove_prefix(ascii_prefix(text));
    if (text.empty()) return true;
    const int length = character_length(text);
    if (length < 0) return false;
    text.remove_prefix(static_cast<size_t>(length));
  }
}

int64_t append_valid_utf8(std::string_view text, std::string& out) {
  int64_t replaced = 0;
  while (!text.empty()) {
    size_t valid = ascii_prefix(text);
    int length = 1;
    while (valid < text.size() && (length = character_length(text.substr(valid))) > 0)
      valid += static_cast<size_t>(length);
    out.append(text.substr(0, valid));
    text.remove_prefix(valid);
    if (!text.empty()) {
      append_utf8(kReplacementCharacter, out);
      text.remove_prefix(static_cast<size_t>(-length));
      ++replaced;
    }
  }
  return replaced;
}

char32_t decode_utf8(std::string_view text, size_t& position) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[position + i]); };
  const char32_t first = byte(0);
  if (first < 0x80) {
    position += 1;
    return first;
  }
  char32_t character;
  if (first < 0xE0) {
    character = (first & 0x1F) << 6 | (byte(1) & 0x3F);
    position += 2;
  } else if (first < 0xF0) {
    character = (first & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F);
    position += 3;
  } else {
    character = (first & 0x07) << 18 | (byte(1) & 0x3F) << 12 | (byte(2) & 0x3F) << 6 | (byte(3) & 0x3F);
    position += 4;
  }
  return character;
}

void append_utf8(char32_t c, std::string& out) {
  const auto put = [&](char32_t bits) { out.push_back(static_cast<char>(bits)); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xC0 | c >> 6);
    put(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    put(0xE0 | c >> 12);
    put(0x80 | (c >> 6 & 0x3F));
    put(0x80 | (c & 0x3F));
  } else {
    put(0xF0 | c >> 18);
    put(0x80 | (c >> 12 & 0x3F));
    put(0x80 | (c >> 6 & 0x3F));
    put(0x80 | (c & 0x3F));
  }
}

size_t count_characters(std::string_view text) {
  size_t n = 0;
  for (const char c : text) n += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  return n;
}

CharacterProperties character_properties(char32_t character) {
  static const auto table = [] {
    auto t = std::make_unique<PropertyTable>();
    for (char32_t c = 0; c < t->size(); ++c) (*t)[c] = look_up(c);
    return t;
  }();
  return character < table->size() ? (*table)[character] : look_up(character);
}

}  // namespace semblance
