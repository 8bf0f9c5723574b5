#include "data/text/unicode.h"

#include <utf8proc.h>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

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
      p.nonspacing_mark = true;
      [[fallthrough]];
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
      p.punctuation = p.strippable = true;
      break;
    case UTF8PROC_CATEGORY_CC:
      p.other = p.strippable = true;
      break;
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_CO:
      p.other = true;
      break;
    default:
      break;
  }
  if (character < 0x80 && std::strchr("$+<=>^`|~", static_cast<int>(character)) && character != 0)
    p.strippable = true;  // ASCII symbols that everyone calls punctuation
  if (character == 0xFEFF) p.strippable = true;
  const bool hangul = character >= 0xAC00 && character < 0xD7A4;
  const bool decomposes = info->decomp_seqindex != UINT16_MAX && info->decomp_type == 0 && !hangul;
  p.recomposed = character >= 0x300 && (p.mark || (character >= 0x1100 && character < 0x1200));
  if (decomposes && character >= 0x300) {
    std::string utf8;
    append_utf8(character, utf8);
    p.recomposed |= compose(utf8) != utf8;
  }
  p.space = info->category == UTF8PROC_CATEGORY_ZS || info->bidi_class == UTF8PROC_BIDI_CLASS_WS ||
            info->bidi_class == UTF8PROC_BIDI_CLASS_B || info->bidi_class == UTF8PROC_BIDI_CLASS_S;
  return p;
}

bool is_continuation(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0) == 0x80;
}

// Whether Σ, at text[begin, end), ends a word: a letter before it and none behind, marks and apostrophes
// apart (Final_Sigma, table 3-17).
bool is_final_sigma(std::string_view text, size_t begin, size_t end) {
  const auto passed_over = [](char32_t c) { return c == U'\'' || c == U'’' || character_properties(c).mark; };
  const auto is_letter = [](char32_t c) { return character_properties(c).letter_or_number; };
  char32_t before = U' ', behind = U' ';
  for (size_t at = begin; at > 0;) {
    do --at;
    while (is_continuation(text[at]));
    size_t next = at;
    before = decode_utf8(text, next);
    if (!passed_over(before)) break;
  }
  for (size_t at = end; at < text.size();) {
    behind = decode_utf8(text, at);
    if (!passed_over(behind)) break;
  }
  return is_letter(before) && !is_letter(behind);
}

std::string normalized(std::string_view text, utf8proc_option_t form) {
  utf8proc_uint8_t* made = nullptr;
  const auto size = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                 static_cast<utf8proc_ssize_t>(text.size()), &made,
                                 static_cast<utf8proc_option_t>(UTF8PROC_STABLE | form));
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(made, &std::free);
  if (size < 0) throw std::bad_alloc();  // nothing else can fail: the text is well-formed
  return {reinterpret_cast<const char*>(made), static_cast<size_t>(size)};
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

void append_lower(std::string_view text, size_t& position, std::string& out) {
  const size_t begin = position;
  const char32_t c = decode_utf8(text, position);
  if (c == U'Σ') {
    append_utf8(is_final_sigma(text, begin, position) ? U'ς' : U'σ', out);
  } else if (c == U'İ') {
    out += "i\u0307";
  } else {
    append_utf8(character_properties(c).lower, out);
  }
}

std::string case_folded(std::string_view text) {
  std::string folded;
  for (size_t i = 0; i < text.size();) {
    utf8proc_int32_t room[8];
    int boundary = 0;
    const auto c = static_cast<utf8proc_int32_t>(decode_utf8(text, i));
    const auto size = utf8proc_decompose_char(c, room, std::size(room), UTF8PROC_CASEFOLD, &boundary);
    for (utf8proc_ssize_t k = 0; k < size; ++k) append_utf8(static_cast<char32_t>(room[k]), folded);
  }
  return folded;
}

size_t count_characters(std::string_view text) {
  size_t n = 0;
  for (const char c : text) n += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  return n;
}

bool is_composed(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x80) {
      ++i;
    } else if (byte < 0xCC || byte == 0xD0 || byte == 0xD1) {  // below U+0300, and U+0400 to U+047F
      i += 2;
    } else if (character_properties(decode_utf8(text, i)).recomposed) {
      return false;
    }
  }
  return true;
}

std::string compose(std::string_view text) {
  return normalized(text, UTF8PROC_COMPOSE);
}

std::string decompose(std::string_view text) {
  return normalized(text, UTF8PROC_DECOMPOSE);
}

bool is_unspaced(std::string_view word) {
  int letters = 0;
  for (size_t i = 0; i < word.size();) {
    const char32_t c = decode_utf8(word, i);
    letters += (c >= 0x0E00 && c < 0x0F00) || (c >= 0x1000 && c < 0x10A0) || (c >= 0x1780 && c < 0x1800) ||
               (c >= 0x3040 && c < 0x3100) || (c >= 0x3400 && c < 0xA000) || (c >= 0xF900 && c < 0xFB00) ||
               (c >= 0x20000 && c < 0x32000);
  }
  return letters >= 4;
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
