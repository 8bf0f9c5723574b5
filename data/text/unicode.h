// UTF-8 and the character properties that cleaning and tokenising need (Unicode data: utf8proc).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace semblance {

constexpr char32_t kReplacementCharacter = 0xFFFD;

/// Whether `text` is well-formed UTF-8 (no surrogates, no overlong forms, at most U+10FFFF).
bool is_valid_utf8(std::string_view text);

/// Appends `text` to `out` with every ill-formed sequence replaced by U+FFFD, one for each maximal part of a
/// character as the Unicode standard recommends (3.9, table 3-8). Returns how many were replaced.
int64_t append_valid_utf8(std::string_view text, std::string& out);

/// Decodes the character at text[position] of well-formed UTF-8 and moves `position` past it.
char32_t decode_utf8(std::string_view text, size_t& position);

/// Appends the UTF-8 form of `character`.
void append_utf8(char32_t character, std::string& out);

/// Decodes the character at text[position] of well-formed UTF-8, moves `position` past it and appends its
/// lower case to `out`, as the Unicode standard has it for all languages (3.13, toLowercase): Σ at the end of
/// a word is ς, İ two characters.
void append_lower(std::string_view text, size_t& position, std::string& out);

/// What spellings of one word have in common that differ in case alone, of well-formed UTF-8 (full case
/// folding: ß and SS, ς and Σ).
std::string case_folded(std::string_view text);

/// Number of characters (code points) of well-formed UTF-8.
size_t count_characters(std::string_view text);

/// Whether well-formed `text` is in Unicode's normalisation form C for sure.
bool is_composed(std::string_view text);
/// Well-formed `text` in normalisation form C.
std::string compose(std::string_view text);
/// Well-formed `text` in normalisation form D: letters and their marks apart.
std::string decompose(std::string_view text);

/// Whether `word`, well-formed UTF-8, has four letters or more of scripts that put no blanks between words
/// (Han, Kana, Thai, Lao, Burmese, Khmer).
bool is_unspaced(std::string_view word);

struct CharacterProperties {
  char32_t lower;         ///< simple lower-case mapping: one character to one
  bool letter_or_number;  ///< general category L* or N*
  bool mark;              ///< general category M*
  bool nonspacing_mark;   ///< general category Mn
  bool punctuation;       ///< general category P*
  bool other;       ///< general category C* but for Cn: controls, formats, surrogates, private characters
  bool recomposed;  ///< normalisation form C may change it, or what stands before it
  bool space;       ///< white space as Python's str.isspace defines it
  bool strippable;  ///< punctuation (ASCII's 32, category P*), control characters, byte-order mark
};

CharacterProperties character_properties(char32_t character);

}  // namespace semblance
