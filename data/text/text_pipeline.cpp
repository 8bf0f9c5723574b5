#include "data/text/text_pipeline.h"

#include <algorithm>

#include "data/error.h"
#include "data/text/stop_words.h"
#include "data/text/unicode.h"

namespace semblance {
namespace {

enum class CharacterClass : uint8_t { Space, Word, Underscore, Apostrophe, Mark, Other };

CharacterClass classify(char32_t character) {
  if (character == U'_') return CharacterClass::Underscore;
  if (character == U'\'' || character == U'\u2019') return CharacterClass::Apostrophe;
  const auto p = character_properties(character);
  if (p.space) return CharacterClass::Space;
  if (p.letter_or_number) return CharacterClass::Word;
  return p.mark ? CharacterClass::Mark : CharacterClass::Other;
}

const std::array<CharacterClass, 128>& ascii_classes() {
  static const auto table = [] {
    std::array<CharacterClass, 128> t{};
    for (char32_t c = 0; c < t.size(); ++c) t[c] = classify(c);
    return t;
  }();
  return table;
}

// Calls take(token) for each maximal run of characters of one kind; kind_of(class) < 0 separates tokens.
template <class KindOf, class Take>
void for_each_run(std::string_view text, KindOf&& kind_of, Take&& take) {
  const auto& ascii = ascii_classes();
  size_t start = 0;
  int current = -1;
  for (size_t i = 0; i < text.size();) {
    const size_t here = i;
    const auto byte = static_cast<unsigned char>(text[i]);
    int kind;
    if (byte < 0x80) {
      kind = kind_of(ascii[byte]);
      ++i;
    } else {
      kind = kind_of(classify(decode_utf8(text, i)));
    }
    if (kind == current) continue;
    if (current >= 0) take(text.substr(start, here - start));
    current = kind;
    start = here;
  }
  if (current >= 0) take(text.substr(start));
}

// A run of word characters and apostrophes without the apostrophes at its ends.
std::string_view without_outer_apostrophes(std::string_view token) {
  constexpr std::string_view curly = "\u2019";
  while (true) {
    if (token.starts_with('\''))
      token.remove_prefix(1);
    else if (token.starts_with(curly))
      token.remove_prefix(curly.size());
    else
      break;
  }
  while (true) {
    if (token.ends_with('\''))
      token.remove_suffix(1);
    else if (token.ends_with(curly))
      token.remove_suffix(curly.size());
    else
      break;
  }
  return token;
}

std::vector<std::string> resolve_stop_words(const std::string& choice) {
  if (choice.empty() || choice == "none") return {};
  if (choice == "en" || choice == "ru") return built_in_stop_words(choice);
  return read_stop_words(choice);
}

}  // namespace

TextPipeline::TextPipeline(const TextOptions& options, std::shared_ptr<const WordPiece> pieces)
    : TextPipeline(options, resolve_stop_words(options.stopwords), std::move(pieces)) {}

TextPipeline::TextPipeline(const TextOptions& options, std::vector<std::string> stop_words,
                           std::shared_ptr<const WordPiece> pieces)
    : options_(options) {
  if (options.tokenizer == Tokenizer::WordPiece) {
    if (!pieces)
      throw Error(ErrorKind::Usage,
                  "--tokenizer: wordpiece has the pieces of a model that --vectors names, found none");
    word_piece_ = std::move(pieces);
  }
  for (auto& word : stop_words) stop_words_.insert(std::move(word));
  std::string listed;
  append_valid_utf8(options_.strip_characters, listed);
  for (size_t i = 0; i < listed.size();) strip_characters_.push_back(decode_utf8(listed, i));
  std::ranges::sort(strip_characters_);
  for (char32_t c = 0; c < ascii_.size(); ++c) {
    const auto kept = options_.lowercase ? character_properties(c).lower : c;
    ascii_[c] = options_.strip_punctuation && strips(c) ? ' ' : static_cast<char>(kept);
  }
}

std::vector<std::string> TextPipeline::stop_words() const {
  std::vector<std::string> words(stop_words_.begin(), stop_words_.end());
  std::ranges::sort(words);
  return words;
}

bool TextPipeline::strips(char32_t character) const {
  if (strip_characters_.empty()) return character_properties(character).strippable;
  return std::ranges::binary_search(strip_characters_, character);
}

bool TextPipeline::keeps(std::string_view token) const {
  const auto least = static_cast<size_t>(options_.min_word_length);
  if (least > 1 && (token.size() < least || count_characters(token) < least)) return false;
  return stop_words_.empty() || !stop_words_.contains(token);
}

void TextPipeline::clean(std::string_view text, std::string& out) const {
  // One character of lower case may take more bytes than its upper case: at most 3 for 2.
  out.resize(text.size() * 2);
  char* to = out.data();
  std::string character;
  for (size_t i = 0; i < text.size();) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x80) {
      *to++ = ascii_[byte];
      ++i;
      continue;
    }
    size_t end = i;
    const char32_t c = decode_utf8(text, end);
    if (options_.strip_punctuation && strips(c)) {
      *to++ = ' ';
      i = end;
      continue;
    }
    if (options_.lowercase && (c == U'Σ' || c == U'İ')) {  // what follows them decides, or they become two
      character.clear();
      append_lower(text, i, character);
      to = std::ranges::copy(character, to).out;
      continue;
    }
    i = end;
    const char32_t kept = options_.lowercase ? character_properties(c).lower : c;
    if (kept < 0x800 && kept >= 0x80) {  // Latin, Greek, Cyrillic, Hebrew, Arabic
      *to++ = static_cast<char>(0xC0 | kept >> 6);
      *to++ = static_cast<char>(0x80 | (kept & 0x3F));
      continue;
    }
    character.clear();
    append_utf8(kept, character);
    to = std::ranges::copy(character, to).out;
  }
  out.resize(static_cast<size_t>(to - out.data()));
}

void TextPipeline::tokenize(std::string_view text, TokenBuffer& buffer) const {
  buffer.tokens.clear();
  if (word_piece_) {
    word_piece_->tokenize(text, buffer);
    std::erase_if(buffer.tokens, [&](std::string_view token) { return !keeps(token); });
    return;
  }
  if (options_.nfc && !is_composed(text)) {
    buffer.composed = compose(text);
    text = buffer.composed;
  }
  if (options_.lowercase || options_.strip_punctuation) {
    clean(text, buffer.text);
    text = buffer.text;
  }
  const auto take = [&](std::string_view token) {
    if (keeps(token)) buffer.tokens.push_back(token);
  };
  using enum CharacterClass;
  switch (options_.tokenizer) {
    case Tokenizer::Words:
      for_each_run(
          text, [](CharacterClass c) { return c == Word || c == Mark || c == Apostrophe ? 0 : -1; },
          [&](std::string_view run) {
            const auto token = without_outer_apostrophes(run);
            if (!token.empty()) take(token);
          });
      break;
    case Tokenizer::Whitespace:
      for_each_run(text, [](CharacterClass c) { return c == Space ? -1 : 0; }, take);
      break;
    case Tokenizer::WordPunct:
      for_each_run(
          text, [](CharacterClass c) { return c == Space                     ? -1
                                              : c == Word || c == Underscore ? 0
                                                                             : 1; },
          take);
      break;
    case Tokenizer::WordPiece:
      break;
  }
}

}  // namespace semblance
