// BERT's tokenizer: words, and the pieces that those consist of which have no piece of their own (Wu et al.
// 2016; Devlin et al. 2019). The same pieces as Hugging Face's tokenizers library cuts, whose tokenizer.json
// it reads.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "data/config.h"
#include "data/text/word_table.h"

namespace semblance {

struct TokenBuffer;

/// Never changes once made, so any number of threads may use it at once, each with a TokenBuffer of its own.
class WordPiece {
 public:
  /// Reads a tokenizer.json; `source` names it in messages. Throws Error(Data) for one that is damaged, and,
  /// by its name, for what is no WordPiece of BERT's.
  WordPiece(std::string_view json, const std::string& source);

  /// Leaves words out that have no pieces, as model2vec does, where they are a piece of their own otherwise.
  void drop_unknown() { drops_unknown_ = true; }
  /// Takes of a text so many characters and pieces at most; 0: all.
  void limit(int64_t characters, int64_t pieces);

  /// Appends the pieces of `text`, well-formed UTF-8, to `buffer.tokens`; they point into this.
  void tokenize(std::string_view text, TokenBuffer& buffer) const;

  /// By their numbers, which are those of the file.
  const WordTable& pieces() const { return pieces_; }
  /// The number of the piece that stands for unknown words.
  int32_t unknown() const { return unknown_; }
  bool drops_unknown() const { return drops_unknown_; }
  /// Of a text; 0: all.
  int64_t most_pieces() const { return most_pieces_; }

  /// As a tokenizer.json, which the constructor reads.
  std::string serialize() const;

 private:
  struct Special {  // a piece that stands in texts as it is
    std::string content;
    int32_t id;
  };

  void read_normalizer(const Json& normalizer);
  void read_model(const Json& model, const SortedJson& vocabulary);
  void read_added_tokens(const Json& tokens);
  void normalize(std::string_view text, std::string& out) const;
  void cut_text(std::string_view text, TokenBuffer& buffer) const;
  void cut_word(std::string_view word, std::vector<std::string_view>& tokens) const;
  void take_unknown(std::vector<std::string_view>& tokens) const;

  WordTable pieces_;
  WordTable inner_;                 // those within words, without the prefix
  std::vector<int32_t> inner_ids_;  // their numbers
  std::vector<Special> specials_;   // the longest first
  std::string special_starts_;      // their first bytes
  std::string prefix_ = "##";
  size_t longest_piece_ = 0;   // bytes
  size_t longest_word_ = 100;  // characters
  int32_t unknown_ = -1;
  int64_t most_characters_ = 0, most_pieces_ = 0;
  bool clean_ = true, split_chinese_ = true, strip_accents_ = true, lowercase_ = true, drops_unknown_ = false;
};

}  // namespace semblance
