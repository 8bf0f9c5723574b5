#include "data/text/ngram_index.h"

#include <fmt/format.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <charconv>

#include "data/config.h"
#include "data/text/ngrams.h"

namespace semblance {
namespace {

constexpr char kMark = '#';

}  // namespace

NgramIndex::NgramIndex(const NgramIndexOptions& options) {
  const Field length{.help = "", .min = 1, .max = 100};
  const auto dash = options.lengths.find('-');
  shortest_ = static_cast<size_t>(parse_integer(options.lengths.substr(0, dash), "ngrams", length));
  longest_ = dash == std::string::npos
                 ? shortest_
                 : static_cast<size_t>(parse_integer(options.lengths.substr(dash + 1), "ngrams", length));
  if (longest_ < shortest_)
    throw Error(ErrorKind::Usage, "--ngrams: expected a range such as 3-6, found '{}'", options.lengths);
  row_of_bucket_.assign(static_cast<size_t>(options.hash_buckets), -1);
}

template <class Visit>
void NgramIndex::for_each_ngram(std::string_view word, Visit&& visit) const {
  if (!word.empty()) for_each_char_ngram(word, kMark, kMark, shortest_, longest_, visit);
}

size_t NgramIndex::bucket(std::string_view ngram) const {
  return XXH3_64bits(ngram.data(), ngram.size()) % row_of_bucket_.size();
}

void NgramIndex::add(std::string_view word) {
  for_each_ngram(word, [&](std::string_view ngram) {
    if (row_of_bucket_.empty()) {
      ngrams_.add(ngram);
    } else if (auto& row = row_of_bucket_[bucket(ngram)]; row < 0) {
      row = size();
      buckets_.push_back(bucket(ngram));
    }
  });
}

std::string NgramIndex::name(int32_t id, char begin, char end) const {
  std::string name(ngrams_[id]);
  if (name.front() == kMark) name.front() = begin;
  if (name.back() == kMark) name.back() = end;
  return name;
}

void NgramIndex::append_ids(std::string_view word, Bulk<int32_t>& ids) const {
  for_each_ngram(word, [&](std::string_view ngram) {
    const int32_t id = row_of_bucket_.empty() ? ngrams_.find(ngram) : row_of_bucket_[bucket(ngram)];
    if (id >= 0) ids.push_back(id);
  });
}

int32_t NgramIndex::size() const {
  return row_of_bucket_.empty() ? ngrams_.size() : static_cast<int32_t>(buckets_.size());
}

std::string NgramIndex::serialize() const {
  std::string text;
  for (int32_t id = 0; id < size(); ++id) {
    if (row_of_bucket_.empty())
      text += ngrams_[id];
    else
      text += fmt::format("{}", buckets_[static_cast<size_t>(id)]);
    text += '\n';
  }
  return text;
}

NgramIndex NgramIndex::parse(const NgramIndexOptions& options, const std::string& text,
                             const std::string& source) {
  NgramIndex index(options);
  std::string_view rest = text;
  for (int64_t number = 1; !rest.empty(); ++number) {
    const auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    bool is_new = false;
    const int32_t id = index.size();
    if (index.row_of_bucket_.empty()) {
      is_new = !line.empty() && index.ngrams_.add(line) == id;
    } else {
      size_t bucket = 0;
      const auto* end = line.data() + line.size();
      const auto [parsed, fault] = std::from_chars(line.data(), end, bucket);
      if (fault == std::errc() && parsed == end && bucket < index.row_of_bucket_.size() &&
          index.row_of_bucket_[bucket] < 0) {
        index.row_of_bucket_[bucket] = id;
        index.buckets_.push_back(bucket);
        is_new = true;
      }
    }
    if (!is_new)
      throw Error(ErrorKind::Model, "{}:{}: expected a new character n-gram; the checkpoint is damaged",
                  source, number);
  }
  return index;
}

}  // namespace semblance
