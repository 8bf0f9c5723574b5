// Texts larger than memory as a stream of word ids: counted once, then read as often and from where one
// likes.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "data/corpus/phrases.h"
#include "data/io/block_reader.h"
#include "data/notice.h"
#include "data/ragged.h"
#include "data/text/text_pipeline.h"
#include "data/text/vocabulary.h"

namespace semblance {

/// What a corpus is made with.
struct CorpusRules {
  TextOptions text;
  PhraseOptions phrases;
  VocabularyOptions vocabulary;
};

/// Files of running text, a sentence a line. What is kept in memory is the vocabulary, the phrases and a few
/// numbers for each block of the files. Never changes once made, so any number of threads may use it at once.
class Corpus {
 public:
  /// Reads the files once, and once more for each pass for phrases. The result does not depend on `threads`.
  /// Throws Error(Data) for a file that cannot be read, or not twice (a pipe), or that has no word to learn.
  Corpus(std::vector<std::string> paths, const CorpusRules& rules, int threads, const Notice& notice);

  const Vocabulary& vocabulary() const { return vocabulary_; }
  /// Words of the corpus, and those of them in the vocabulary.
  int64_t tokens() const { return tokens_; }
  int64_t known_tokens() const { return known_tokens_; }
  /// A name for files and rules by their content.
  const std::string& fingerprint() const { return fingerprint_; }

  /// Words in order. It is to be used by one thread at a time, and the corpus is to outlive it.
  class Reader {
   public:
    /// From word number `first` on.
    Reader(const Corpus& corpus, int64_t first);
    /// The next `count` words, fewer at the end: the ids of those in the vocabulary, a row for each sentence
    /// or part of one. Throws Error(Data) if a file cannot be read any more or has changed.
    RaggedIds next(int64_t count);

   private:
    bool fill();

    const Corpus& corpus_;
    size_t file_;
    std::optional<BlockReader> blocks_;
    std::vector<int32_t> words_;  // of a block; -1: unknown
    std::vector<size_t> ends_;    // of its sentences
    size_t word_ = 0, sentence_ = 0;
    int64_t token_ = 0;  // of the corpus, that comes next
    std::string text_;
    TokenBuffer buffer_;
  };

 private:
  // Where a block begins.
  struct Place {
    size_t file;
    int64_t offset;  // of its first byte
    int64_t token;   // of its first word
  };

  // Calls visit(tokens) for each sentence of a block; the views hold until it returns. Returns the number of
  // lines that were not UTF-8.
  template <class Visit>
  int64_t for_each_sentence(std::string_view block, TokenBuffer& buffer, std::string& text,
                            Visit&& visit) const;
  void find_phrases(const PhraseOptions& options, const Notice& notice);
  void count(const VocabularyOptions& options, int threads, const Notice& notice);

  std::vector<std::string> paths_;
  TextPipeline pipeline_;
  std::vector<Phrases> phrases_;
  Vocabulary vocabulary_;
  std::vector<Place> places_;
  int64_t tokens_ = 0, known_tokens_ = 0;
  std::string fingerprint_;
};

}  // namespace semblance
