#include "data/ranking_rows.h"

#include <utility>

#include "data/error.h"
#include "data/random.h"
#include "data/text/word_table.h"
#include "data/text_pairs.h"

namespace semblance {
namespace {

constexpr size_t kMostFields = size_t{1} << 24;

}  // namespace

RaggedIds rank_among_others(std::span<const std::array<int32_t, 2>> pairs, std::span<const int64_t> groups,
                            const OtherCandidates& candidates, const RaggedIds& own) {
  RaggedIds rows;
  const auto n = static_cast<int64_t>(pairs.size());
  RandomStream random(mix(candidates.seed, 0x4a6b));
  for (int64_t i = 0; i < n; ++i) {
    const auto at = static_cast<size_t>(i);
    rows.values.insert(rows.values.end(), pairs[at].begin(), pairs[at].end());
    if (own.size() > 0) rows.values.insert(rows.values.end(), own[i].begin(), own[i].end());
    const int64_t others = std::min(candidates.most, n - 1);
    for (int64_t k = 1; k <= others; ++k) {
      const int64_t step =
          others == n - 1 ? k : 1 + static_cast<int64_t>(random.below(static_cast<uint64_t>(n - 1)));
      const auto other = static_cast<size_t>((i + step) % n);
      if (groups[other] != groups[at]) rows.values.push_back(pairs[other][1]);
    }
    const auto begin = static_cast<size_t>(rows.offsets.back());
    if (rows.values.size() - begin > 2)
      rows.close_row();
    else
      rows.values.resize(begin);
  }
  return rows;
}

bool RankingRowReader::next(RankingRows& part, int64_t most_texts) {
  WordTable texts;
  part.rows = {};
  part.scores.clear();
  for (TextRow row; reader_.next(row);) {
    for (size_t i = 1; i < row.texts.size(); ++i) {
      if (row.negatives.empty() && !scored()) {
        pairs_.push_back(row.texts[0]);
        pairs_.push_back(row.texts[i]);
        continue;
      }
      for (const auto text : {row.texts[0], row.texts[i]}) part.rows.values.push_back(texts.add(text));
      for (const auto text : row.negatives) part.rows.values.push_back(texts.add(text));
      part.rows.close_row();
      if (scored()) part.scores.push_back(row.score);
    }
    if (most_texts > 0 && (texts.size() >= most_texts || part.rows.values.size() >= kMostFields)) break;
  }
  part.texts = texts.take_words();
  ranked_ += part.rows.size();
  return part.rows.size() > 0 || next_pairs(part);
}

bool RankingRowReader::next_pairs(RankingRows& part) {
  const Texts pairs = std::exchange(pairs_, {});
  WordTable texts;
  std::vector<std::array<int32_t, 2>> numbers;
  std::vector<int64_t> starts{0}, text_numbers;
  for (int64_t i = 0; i < pairs.size(); i += 2) {
    numbers.push_back({texts.add(pairs[i]), texts.add(pairs[i + 1])});
    text_numbers.insert(text_numbers.end(), numbers.back().begin(), numbers.back().end());
    starts.push_back(i + 2);
  }
  part.rows = rank_among_others(numbers, group_rows(starts, text_numbers), candidates_);
  part.texts = texts.take_words();
  ranked_ += part.rows.size();
  among_others_ += part.rows.size();
  left_out_ += static_cast<int64_t>(numbers.size()) - part.rows.size();
  return part.rows.size() > 0;
}

void RankingRowReader::finish(const Notice& notice) const {
  reader_.finish(notice);
  if (ranked_ == 0)
    throw Error(ErrorKind::Data,
                "{}: expected candidates to rank a duplicate among, further fields of its row or other rows, "
                "found none",
                reader_.name());
  if (among_others_ > 0)
    notice(fmt::format("{}: {} row(s) of two texts, ranked among each other's second texts", reader_.name(),
                       among_others_));
  if (left_out_ > 0)
    notice(fmt::format("warning: {}: left out {} row(s) that have no other's text to be ranked among",
                       reader_.name(), left_out_));
}

TextBatch RankingDataset::batch(std::span<const int64_t> texts, uint64_t) const {
  return collate(texts_, texts, {});
}

}  // namespace semblance
