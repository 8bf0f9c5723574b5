#include "data/corpus/corpus.h"
#include "data/readers/sample.h"

#include <algorithm>
#include <filesystem>

#include "data/error.h"
#include "data/fingerprint.h"
#include "data/parallel.h"
#include "data/text/unicode.h"

namespace semblance {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

BlockReader open_blocks(const std::string& path, int64_t offset) {
  BlockReader blocks{ByteStream(path)};
  blocks.skip(offset);
  return blocks;
}

void check_files(const std::vector<std::string>& paths) {
  if (paths.empty()) throw Error(ErrorKind::Usage, "--corpus: expected a file of text, found none");
  for (const auto& path : paths) {
    std::error_code failure;
    const auto status = std::filesystem::status(path, failure);
    if (path == "-" || (std::filesystem::exists(status) && !std::filesystem::is_directory(status) &&
                        !std::filesystem::is_regular_file(status)))
      throw Error(ErrorKind::Data,
                  "{}: expected a file, which is read several times, found a stream; save it "
                  "to a file first",
                  path);
    ByteStream stream(path);
    refuse_undecoded(stream);
  }
}

}  // namespace

template <class Visit>
int64_t Corpus::for_each_sentence(std::string_view block, TokenBuffer& buffer, std::string& text,
                                  Visit&& visit) const {
  int64_t repaired = 0;
  while (!block.empty()) {
    const auto line = block.substr(0, block.find('\n'));
    block.remove_prefix(std::min(line.size() + 1, block.size()));
    text.clear();
    const bool valid = is_valid_utf8(line);
    if (!valid) append_valid_utf8(line, text);
    repaired += !valid;
    pipeline_.tokenize(valid ? line : std::string_view(text), buffer);
    for (const auto& phrases : phrases_) phrases.join(buffer.tokens);
    visit(buffer.tokens);
  }
  return repaired;
}

Corpus::Corpus(std::vector<std::string> paths, const CorpusRules& rules, int threads, const Notice& notice)
    : paths_(std::move(paths)), pipeline_(rules.text) {
  check_files(paths_);
  find_phrases(rules.phrases, notice);
  count(rules.vocabulary, threads, notice);
}

void Corpus::find_phrases(const PhraseOptions& options, const Notice& notice) {
  TokenBuffer buffer;
  std::string text;
  for (int64_t pass = 0; pass < options.passes; ++pass) {
    PhraseCounter counter;
    for (const auto& path : paths_) {
      auto blocks = open_blocks(path, 0);
      for (std::string_view block; blocks.next(block);)
        for_each_sentence(block, buffer, text, [&](const auto& tokens) { counter.add(tokens); });
    }
    phrases_.push_back(counter.choose(options));
    notice(fmt::format("phrases, pass {}: {}", pass + 1, phrases_.back().size()));
  }
}

void Corpus::count(const VocabularyOptions& options, int threads, const Notice& notice) {
  struct Shard {
    std::vector<std::string> blocks;
    std::vector<int64_t> tokens;  // of each block
    WordTable words;
    std::vector<int64_t> counts;
    int64_t repaired = 0;
    TokenBuffer buffer;
    std::string text;
  };
  std::vector<Shard> shards(static_cast<size_t>(std::max(1, threads)));
  const auto work = [&](Shard& shard) {
    for (const auto& block : shard.blocks) {
      shard.tokens.push_back(0);
      shard.repaired += for_each_sentence(block, shard.buffer, shard.text, [&](const auto& tokens) {
        for (const auto token : tokens) {
          const auto word = static_cast<size_t>(shard.words.add(token));
          if (word == shard.counts.size()) shard.counts.push_back(0);
          ++shard.counts[word];
        }
        shard.tokens.back() += static_cast<int64_t>(tokens.size());
      });
    }
  };
  Fingerprint fingerprint;
  size_t uncounted = 0;  // the first of places_ whose `token` is still to be set
  const auto run = [&] {
    parallel_shards(static_cast<int64_t>(shards.size()), static_cast<int64_t>(shards.size()),
                    [&](int64_t, int64_t begin, int64_t end) {
                      for (; begin < end; ++begin) work(shards[static_cast<size_t>(begin)]);
                    });
    for (auto& shard : shards) {
      for (const int64_t tokens : shard.tokens) {
        places_[uncounted++].token = tokens_;
        tokens_ += tokens;
      }
      shard.blocks.clear();
      shard.tokens.clear();
    }
  };
  constexpr size_t kBlocksEach = 4;
  for (size_t file = 0; file < paths_.size(); ++file) {
    auto blocks = open_blocks(paths_[file], 0);
    for (;;) {
      bool ended = false;
      for (auto& shard : shards)
        while (!ended && shard.blocks.size() < kBlocksEach) {
          const int64_t offset = blocks.position();
          std::string_view block;
          if (ended = !blocks.next(block); ended) break;
          fingerprint.add(block);
          const bool marked = offset == 0 && block.starts_with(kByteOrderMark);
          places_.push_back({file, offset, 0});
          shard.blocks.emplace_back(marked ? block.substr(kByteOrderMark.size()) : block);
        }
      run();
      if (ended) break;
    }
    fingerprint.add(std::span(&tokens_, 1));  // where a file ends matters too
  }
  WordTable words = std::move(shards[0].words);
  std::vector<int64_t> counts = std::move(shards[0].counts);
  int64_t repaired = shards[0].repaired;
  for (size_t s = 1; s < shards.size(); ++s) {
    repaired += shards[s].repaired;
    for (int32_t i = 0; i < shards[s].words.size(); ++i) {
      const auto word = static_cast<size_t>(words.add(shards[s].words[i]));
      if (word == counts.size()) counts.push_back(0);
      counts[word] += shards[s].counts[static_cast<size_t>(i)];
    }
  }
  vocabulary_ = Vocabulary(words, counts, options);
  for (int32_t id = vocabulary_.first_word(); id < vocabulary_.size(); ++id)
    known_tokens_ += vocabulary_.count(id);
  if (repaired > 0)
    notice(fmt::format("warning: {} line(s) were not UTF-8; ill-formed bytes became U+FFFD", repaired));
  if (vocabulary_.size() - vocabulary_.first_word() < 2)
    throw Error(ErrorKind::Data,
                "{}: expected two words or more that occur at least {} time(s), found {} of {} "
                "words; see --min-count",
                paths_[0], options.min_count, vocabulary_.size() - vocabulary_.first_word(), words.size());
  fingerprint.add(vocabulary_.serialize());
  fingerprint_ = fingerprint.digest();
}

Corpus::Reader::Reader(const Corpus& corpus, int64_t first) : corpus_(corpus) {
  const auto after = std::ranges::upper_bound(corpus.places_, first, {}, &Place::token);
  const Place place = after == corpus.places_.begin() ? Place{0, 0, 0} : *std::prev(after);
  file_ = place.file;
  blocks_.emplace(open_blocks(corpus.paths_[file_], place.offset));
  token_ = place.token;
  next(first - place.token);
}

bool Corpus::Reader::fill() {
  const size_t files = corpus_.paths_.size();
  std::string_view block;
  while (file_ == files || !blocks_->next(block)) {
    if (file_ == files || ++file_ == files) return false;
    blocks_.emplace(open_blocks(corpus_.paths_[file_], 0));
  }
  const bool begins = blocks_->position() == static_cast<int64_t>(block.size());
  if (begins && block.starts_with(kByteOrderMark)) block.remove_prefix(kByteOrderMark.size());
  words_.clear();
  ends_.clear();
  word_ = sentence_ = 0;
  corpus_.for_each_sentence(block, buffer_, text_, [&](const auto& tokens) {
    for (const auto token : tokens) words_.push_back(corpus_.vocabulary_.id(token));
    ends_.push_back(words_.size());
  });
  return true;
}

RaggedIds Corpus::Reader::next(int64_t count) {
  RaggedIds ids;
  while (count > 0) {
    if (sentence_ == ends_.size()) {
      if (fill()) continue;
      if (token_ < corpus_.tokens())
        throw Error(ErrorKind::Data,
                    "{}: expected {} words, found {}; the file has changed since they were "
                    "counted",
                    corpus_.paths_.back(), corpus_.tokens(), token_);
      break;
    }
    const size_t end = std::min(ends_[sentence_], word_ + static_cast<size_t>(count));
    count -= static_cast<int64_t>(end - word_);
    token_ += static_cast<int64_t>(end - word_);
    for (; word_ < end; ++word_)
      if (words_[word_] >= 0) ids.values.push_back(words_[word_]);
    if (static_cast<int64_t>(ids.values.size()) > ids.offsets.back()) ids.close_row();
    sentence_ += word_ == ends_[sentence_];
  }
  return ids;
}

}  // namespace semblance
