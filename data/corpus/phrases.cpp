#include "data/corpus/phrases.h"

namespace semblance {
namespace {

uint64_t pair_key(int32_t first, int32_t second) {
  return static_cast<uint64_t>(first) << 32 | static_cast<uint32_t>(second);
}

void join_words(std::string_view first, std::string_view second, std::string& joined) {
  joined.assign(first);
  joined += '_';
  joined += second;
}

}  // namespace

void Phrases::join(std::vector<std::string_view>& tokens) const {
  if (size() == 0) return;
  std::string joined;
  size_t kept = 0;
  for (size_t i = 0; i < tokens.size(); ++i) {
    int32_t phrase = -1;
    if (i + 1 < tokens.size()) {
      join_words(tokens[i], tokens[i + 1], joined);
      phrase = joined_.find(joined);
    }
    tokens[kept++] = phrase >= 0 ? joined_[phrase] : tokens[i];
    i += phrase >= 0;
  }
  tokens.resize(kept);
}

void PhraseCounter::add(const std::vector<std::string_view>& tokens) {
  int32_t before = -1;
  for (const auto token : tokens) {
    const int32_t word = words_.add(token);
    if (static_cast<size_t>(word) == counts_.size()) counts_.push_back(0);
    ++counts_[static_cast<size_t>(word)];
    if (before >= 0) ++pairs_[pair_key(before, word)];
    before = word;
  }
  total_ += static_cast<int64_t>(tokens.size());
  while (pairs_.size() > most_pairs_) {
    ++dropped_;
    std::erase_if(pairs_, [&](const auto& pair) { return pair.second <= dropped_; });
  }
}

Phrases PhraseCounter::choose(const PhraseOptions& options) const {
  Phrases phrases;
  std::string joined;
  for (const auto& [key, count] : pairs_) {
    const auto first = static_cast<int32_t>(key >> 32), second = static_cast<int32_t>(key & 0xFFFFFFFF);
    const int64_t firsts = counts_[static_cast<size_t>(first)],
                  seconds = counts_[static_cast<size_t>(second)];
    if (firsts < options.min_count || seconds < options.min_count) continue;
    const double score = static_cast<double>(count - options.min_count) / static_cast<double>(firsts) /
                         static_cast<double>(seconds) * static_cast<double>(total_);
    if (score <= options.threshold) continue;
    join_words(words_[first], words_[second], joined);
    phrases.joined_.add(joined);
  }
  return phrases;
}

}  // namespace semblance
