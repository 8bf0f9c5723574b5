#include "data/text/word_piece.h"

#include <algorithm>

#include "data/error.h"
#include "data/text/text_pipeline.h"
#include "data/text/unicode.h"

namespace semblance {
namespace {

bool is_white(char32_t c) {
  return character_properties(c).space && !(c >= 0x1C && c <= 0x1F);  // Unicode's White_Space
}

bool is_control(char32_t c) {
  return c != U'\t' && c != U'\n' && c != U'\r' && character_properties(c).other;
}

bool is_ascii_symbol(char32_t c) {
  return (c >= 33 && c <= 47) || (c >= 58 && c <= 64) || (c >= 91 && c <= 96) || (c >= 123 && c <= 126);
}

bool is_punctuation(char32_t c) {
  return is_ascii_symbol(c) || character_properties(c).punctuation;
}

// The library's ranges, with the gap that they have.
bool is_chinese(char32_t c) {
  return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x20000 && c <= 0x2A6DF) ||
         (c >= 0x2A700 && c <= 0x2B73F) || (c >= 0x2B740 && c <= 0x2B81F) || (c >= 0x2B920 && c <= 0x2CEAF) ||
         (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x2F800 && c <= 0x2FA1F);
}

// Of the parts of tokenizer.json that may be null.
const Json& part(const Json& json, const char* key) {
  static const Json none;
  const auto found = json.find(key);
  return found == json.end() ? none : *found;
}

std::string type_of(const Json& part) {
  return part.is_object() && part.contains("type") ? text_in(part, "type") : "none";
}

bool switch_in(const Json& json, const char* key, bool otherwise) {
  const Json& value = part(json, key);
  if (value.is_null()) return otherwise;
  if (!value.is_boolean())
    throw Error(ErrorKind::Data, "{}: expected true or false, found {}", key, value.dump());
  return value.get<bool>();
}

void expect_type(const Json& part, const char* what, std::string_view wanted) {
  if (const auto type = type_of(part); type != wanted)
    throw Error(ErrorKind::Data, "expected a {} of type {}, the only one that is read, found {}", what,
                wanted, type);
}

}  // namespace

WordPiece::WordPiece(std::string_view text, const std::string& source) {
  auto whole = parse_sorted_json(text, source);
  try {
    if (!whole.is_object()) throw Error(ErrorKind::Data, "expected a tokenizer, found none");
    SortedJson vocabulary;
    if (const auto model = whole.find("model"); model != whole.end() && model->is_object())
      std::swap(vocabulary, (*model)["vocab"]);
    const Json json = whole;
    expect_type(object_in(json, "model"), "tokenizer", "WordPiece");
    expect_type(part(json, "normalizer"), "normalizer", "BertNormalizer");
    expect_type(part(json, "pre_tokenizer"), "pre-tokenizer", "BertPreTokenizer");
    read_normalizer(json["normalizer"]);
    read_model(json["model"], vocabulary);
    read_added_tokens(part(json, "added_tokens"));
    if (const Json& truncation = part(json, "truncation"); truncation.is_object()) {
      if (truncation.value("direction", "Right") != "Right")
        throw Error(ErrorKind::Data, "expected texts to be cut at their ends, found direction {}",
                    part(truncation, "direction").dump());
      most_pieces_ = whole_number_in(truncation, "max_length", 0, INT64_MAX);
      if (truncation.contains("max_characters"))
        most_characters_ = whole_number_in(truncation, "max_characters", 0, INT64_MAX);
    }
  } catch (const Error& error) {
    throw Error(ErrorKind::Data, "{}: {}", source, error.what());
  } catch (const Json::exception& error) {
    throw Error(ErrorKind::Data, "{}: expected a tokenizer's file, found another: {}", source, error.what());
  }
}

void WordPiece::read_normalizer(const Json& normalizer) {
  clean_ = switch_in(normalizer, "clean_text", true);
  split_chinese_ = switch_in(normalizer, "handle_chinese_chars", true);
  lowercase_ = switch_in(normalizer, "lowercase", true);
  strip_accents_ = switch_in(normalizer, "strip_accents", lowercase_);
}

void WordPiece::read_model(const Json& model, const SortedJson& vocabulary) {
  if (!vocabulary.is_object())
    throw Error(ErrorKind::Data, "vocab: expected pieces and their numbers, found none");
  prefix_ = text_in(model, "continuing_subword_prefix");
  longest_word_ = static_cast<size_t>(whole_number_in(model, "max_input_chars_per_word", 1, INT32_MAX));
  std::vector<const std::string*> words(vocabulary.size());
  for (const auto& [word, id] : vocabulary.items()) {
    const auto number = id.is_number_unsigned() ? id.get<uint64_t>() : words.size();
    if (number >= words.size() || words[number])
      throw Error(ErrorKind::Data, "expected the {} pieces to be numbered from 0 on, found {} for '{}'",
                  words.size(), id.dump(), word);
    words[number] = &word;
  }
  for (const auto* word : words) {
    if (word->find('\n') != std::string::npos || word->find('\t') != std::string::npos || word->empty())
      throw Error(ErrorKind::Data, "expected pieces without line ends and tabs, found '{}'", *word);
    const auto id = pieces_.add(*word);
    longest_piece_ = std::max(longest_piece_, word->size());
    if (word->starts_with(prefix_) && word->size() > prefix_.size()) {
      inner_.add(std::string_view(*word).substr(prefix_.size()));
      inner_ids_.push_back(id);
    }
  }
  const auto& unknown = text_in(model, "unk_token");
  unknown_ = pieces_.find(unknown);
  if (unknown_ < 0)
    throw Error(ErrorKind::Data, "expected a piece for unknown words, '{}', found none", unknown);
  drops_unknown_ = switch_in(model, "drop_unknown", false);
}

void WordPiece::read_added_tokens(const Json& tokens) {
  if (tokens.is_null()) return;
  if (!tokens.is_array())
    throw Error(ErrorKind::Data, "added_tokens: expected a list, found {}", tokens.dump());
  for (const Json& token : tokens) {
    const auto& content = text_in(token, "content");
    const auto id = pieces_.find(content);
    if (id < 0 || id != whole_number_in(token, "id", 0, INT32_MAX))
      throw Error(ErrorKind::Data, "expected added tokens to be pieces, found '{}', which is none", content);
    if (switch_in(token, "single_word", false) || switch_in(token, "normalized", false))
      throw Error(ErrorKind::Data,
                  "expected added tokens that stand in texts as they are, found '{}', which does not",
                  content);
    specials_.push_back({content, id});
    if (special_starts_.find(content[0]) == std::string::npos) special_starts_ += content[0];
  }
  std::ranges::stable_sort(specials_, std::greater{}, [](const Special& s) { return s.content.size(); });
}

void WordPiece::limit(int64_t characters, int64_t pieces) {
  most_characters_ = characters;
  most_pieces_ = pieces;
}

std::string WordPiece::serialize() const {
  SortedJson vocabulary = SortedJson::object(), added = SortedJson::array();
  for (int32_t id = 0; id < pieces_.size(); ++id) vocabulary[std::string(pieces_[id])] = id;
  for (const auto& [content, id] : specials_)
    added.push_back({{"id", id},
                     {"content", content},
                     {"single_word", false},
                     {"lstrip", false},
                     {"rstrip", false},
                     {"normalized", false},
                     {"special", true}});
  SortedJson truncation;
  if (most_pieces_ > 0) {
    truncation = {
        {"direction", "Right"}, {"max_length", most_pieces_}, {"strategy", "LongestFirst"}, {"stride", 0}};
    if (most_characters_ > 0) truncation["max_characters"] = most_characters_;
  }
  SortedJson model = {{"type", "WordPiece"},
                      {"unk_token", std::string(pieces_[unknown_])},
                      {"continuing_subword_prefix", prefix_},
                      {"max_input_chars_per_word", longest_word_},
                      {"vocab", std::move(vocabulary)}};
  if (drops_unknown_) model["drop_unknown"] = true;
  const SortedJson json = {{"version", "1.0"},
                           {"truncation", std::move(truncation)},
                           {"padding", nullptr},
                           {"added_tokens", std::move(added)},
                           {"normalizer",
                            {{"type", "BertNormalizer"},
                             {"clean_text", clean_},
                             {"handle_chinese_chars", split_chinese_},
                             {"strip_accents", strip_accents_},
                             {"lowercase", lowercase_}}},
                           {"pre_tokenizer", {{"type", "BertPreTokenizer"}}},
                           {"post_processor", nullptr},
                           {"decoder", nullptr},
                           {"model", std::move(model)}};
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

void WordPiece::normalize(std::string_view text, std::string& out) const {
  std::string cleaned;
  for (size_t i = 0; i < text.size();) {
    const char32_t c = decode_utf8(text, i);
    if (clean_) {
      if (c == 0 || c == kReplacementCharacter || is_control(c)) continue;
      if (is_white(c)) {
        cleaned += ' ';
        continue;
      }
    }
    const bool apart = split_chinese_ && is_chinese(c);
    if (apart) cleaned += ' ';
    append_utf8(c, cleaned);
    if (apart) cleaned += ' ';
  }
  if (strip_accents_) cleaned = decompose(cleaned);
  out.clear();
  for (size_t i = 0; i < cleaned.size();) {
    const char32_t c = decode_utf8(cleaned, i);
    if (strip_accents_ && character_properties(c).nonspacing_mark) continue;
    if (lowercase_ && c == U'İ')
      out += "i\u0307";
    else
      append_utf8(lowercase_ ? character_properties(c).lower : c, out);
  }
}

void WordPiece::take_unknown(std::vector<std::string_view>& tokens) const {
  tokens.push_back(pieces_[unknown_]);
}

void WordPiece::cut_word(std::string_view word, std::vector<std::string_view>& tokens) const {
  if (word.size() > longest_word_ && count_characters(word) > longest_word_) return take_unknown(tokens);
  const size_t before = tokens.size();
  for (size_t start = 0; start < word.size();) {
    size_t size = std::min(word.size() - start, longest_piece_);
    int32_t piece = -1;
    for (; size > 0; --size) {
      const auto part = word.substr(start, size);
      if (start == 0) {
        piece = pieces_.find(part);
      } else if (const int32_t inner = inner_.find(part); inner >= 0) {
        piece = inner_ids_[static_cast<size_t>(inner)];
      }
      if (piece >= 0) break;
    }
    if (piece < 0) {
      tokens.resize(before);
      return take_unknown(tokens);
    }
    tokens.push_back(pieces_[piece]);
    start += size;
  }
}

void WordPiece::cut_text(std::string_view text, TokenBuffer& buffer) const {
  normalize(text, buffer.text);
  text = buffer.text;
  size_t start = 0;
  const auto take = [&](size_t end) {
    if (end > start) cut_word(text.substr(start, end - start), buffer.tokens);
  };
  for (size_t i = 0; i < text.size();) {
    const size_t here = i;
    const char32_t c = decode_utf8(text, i);
    const bool alone = is_punctuation(c);
    if (!alone && !is_white(c)) continue;
    take(here);
    start = here;
    if (alone) take(i);
    start = i;
  }
  take(text.size());
}

void WordPiece::tokenize(std::string_view text, TokenBuffer& buffer) const {
  if (most_characters_ > 0 && text.size() > static_cast<size_t>(most_characters_)) {
    size_t end = 0;
    for (int64_t n = 0; n < most_characters_ && end < text.size(); ++n) decode_utf8(text, end);
    text = text.substr(0, end);
  }
  const size_t before = buffer.tokens.size();
  size_t start = 0;
  for (size_t i = 0; (i = text.find_first_of(special_starts_, i)) != std::string_view::npos;) {
    const auto found = std::ranges::find_if(
        specials_, [&](const Special& special) { return text.substr(i).starts_with(special.content); });
    if (found == specials_.end()) {
      ++i;
      continue;
    }
    cut_text(text.substr(start, i - start), buffer);
    buffer.tokens.push_back(pieces_[found->id]);
    i += found->content.size();
    start = i;
  }
  cut_text(text.substr(start), buffer);
  if (most_pieces_ > 0 && buffer.tokens.size() - before > static_cast<size_t>(most_pieces_))
    buffer.tokens.resize(before + static_cast<size_t>(most_pieces_));
  if (drops_unknown_)
    buffer.tokens.erase(std::remove(buffer.tokens.begin() + static_cast<std::ptrdiff_t>(before),
                                    buffer.tokens.end(), pieces_[unknown_]),
                        buffer.tokens.end());
}

}  // namespace semblance
