// What fastText makes of words and lines.
#pragma once

#include <cstdint>
#include <string_view>

namespace semblance {

/// Its hash of a word or of an n-gram: FNV-1a over signed bytes.
inline uint32_t fasttext_hash(std::string_view bytes) {
  uint32_t hash = 2166136261U;
  for (const char c : bytes) {
    hash ^= static_cast<uint32_t>(static_cast<int8_t>(c));
    hash *= 16777619U;
  }
  return hash;
}

/// What it puts before labels in texts.
inline constexpr std::string_view kFastTextLabelPrefix = "__label__";
/// The word at the end of each line.
inline constexpr std::string_view kFastTextLineEnd = "</s>";

}  // namespace semblance
