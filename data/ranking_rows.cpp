#include "data/ranking_rows.h"

#include "data/text/word_table.h"

namespace semblance {
namespace {

constexpr size_t kMostFields = size_t{1} << 24;

}  // namespace

bool RankingRowReader::next(RankingRows& part, int64_t most_texts) {
  WordTable texts;
  part.rows = {};
  for (std::vector<std::string_view> fields; reader_.next(fields);) {
    for (const auto field : fields) part.rows.values.push_back(texts.add(field));
    part.rows.close_row();
    if (most_texts > 0 && (texts.size() >= most_texts || part.rows.values.size() >= kMostFields)) break;
  }
  part.texts = texts.take_words();
  return part.rows.size() > 0;
}

TextBatch RankingDataset::batch(std::span<const int64_t> texts, uint64_t) const {
  return collate(texts_, texts, {});
}

}  // namespace semblance
