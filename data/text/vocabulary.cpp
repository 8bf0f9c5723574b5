#include "data/text/vocabulary.h"

#include <algorithm>
#include <charconv>
#include <numeric>

#include "data/error.h"

namespace semblance {
namespace {

// No tokenizer yields a token with white space inside, so these never collide with a word.
constexpr std::string_view kPadName = "<pad >";
constexpr std::string_view kUnknownName = "<unk >";

}  // namespace

void Vocabulary::add_special(bool unknown) {
  has_unknown_ = unknown;
  words_.add(kPadName);
  counts_.push_back(0);
  if (unknown) {
    words_.add(kUnknownName);
    counts_.push_back(0);
  }
}

Vocabulary::Vocabulary(const WordTable& words, std::span<const int64_t> counts,
                       const VocabularyOptions& options) {
  add_special(options.unknown_word);
  Bulk<int32_t> kept;
  for (int32_t id = 0; id < words.size(); ++id)
    if (counts[static_cast<size_t>(id)] >= options.min_count) kept.push_back(id);
  std::ranges::sort(kept, [&](int32_t a, int32_t b) {
    const auto count_a = counts[static_cast<size_t>(a)], count_b = counts[static_cast<size_t>(b)];
    return count_a != count_b ? count_a > count_b : words[a] < words[b];
  });
  if (options.max_words > 0 && kept.size() > static_cast<size_t>(options.max_words))
    kept.resize(static_cast<size_t>(options.max_words));
  for (const int32_t id : kept) {
    words_.add(words[id]);
    counts_.push_back(counts[static_cast<size_t>(id)]);
  }
}

int32_t Vocabulary::id(std::string_view word) const {
  const int32_t found = words_.find(word);
  return found >= first_word() ? found : has_unknown_ ? 1 : -1;
}

std::string Vocabulary::serialize() const {
  std::string out;
  for (int32_t id = 0; id < size(); ++id)
    fmt::format_to(std::back_inserter(out), "{}\t{}\n", word(id), count(id));
  return out;
}

Vocabulary Vocabulary::parse(const std::string& text, const std::string& source) {
  Vocabulary vocabulary;
  std::string_view rest = text;
  for (int64_t number = 1; !rest.empty(); ++number) {
    const auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    const auto tab = line.rfind('\t');
    int64_t count = 0;
    const auto* end = line.data() + line.size();
    if (tab == std::string_view::npos || std::from_chars(line.data() + tab + 1, end, count).ptr != end ||
        vocabulary.words_.add(line.substr(0, tab)) != static_cast<int32_t>(vocabulary.counts_.size()))
      throw Error(ErrorKind::Model,
                  "{}:{}: expected a new word, a tab and its count; the checkpoint is damaged", source,
                  number);
    vocabulary.counts_.push_back(count);
  }
  if (vocabulary.size() < 1 || vocabulary.words_[kPad] != kPadName)
    throw Error(ErrorKind::Model, "{}: expected a vocabulary that begins with {}; the checkpoint is damaged",
                source, kPadName);
  vocabulary.has_unknown_ = vocabulary.size() > 1 && vocabulary.words_[1] == kUnknownName;
  return vocabulary;
}

}  // namespace semblance
