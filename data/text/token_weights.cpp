#include "data/text/token_weights.h"

#include <algorithm>
#include <cmath>

namespace semblance {
namespace {

// df of n texts have it.
double inverse_document_frequency(int64_t df, int64_t n) {
  return std::log((1 + static_cast<double>(n)) / (1 + static_cast<double>(df))) + 1;
}

}  // namespace

std::vector<float> inverse_document_frequencies(const RaggedIdsView& texts, int64_t ids) {
  std::vector<int64_t> last_text(static_cast<size_t>(ids), -1), frequencies(static_cast<size_t>(ids));
  for (int64_t text = 0; text < texts.size(); ++text)
    for (const int32_t id : texts[text])
      if (auto& last = last_text[static_cast<size_t>(id)]; last != text) {
        last = text;
        ++frequencies[static_cast<size_t>(id)];
      }
  std::vector<float> idf;
  idf.reserve(frequencies.size());
  for (const int64_t df : frequencies)
    idf.push_back(df == 0 ? 0.0f : static_cast<float>(inverse_document_frequency(df, texts.size())));
  return idf;
}

void WordWeights::add(const std::vector<std::string_view>& words) {
  for (const auto word : words) {
    const auto id = static_cast<size_t>(words_.add(word));
    if (id == counts_.size()) counts_.emplace_back();
    auto& count = counts_[id];
    ++count.occurrences;
    if (count.last_text != texts_) ++count.texts;
    count.last_text = texts_;
  }
  occurrences_ += static_cast<int64_t>(words.size());
  ++texts_;
}

float WordWeights::of(std::string_view word) const {
  if (weighting_ == WordWeighting::None) return 1;
  const int32_t id = words_.find(word);
  const Count count = id < 0 ? Count{} : counts_[static_cast<size_t>(id)];
  if (weighting_ == WordWeighting::Idf)
    return static_cast<float>(inverse_document_frequency(count.texts, texts_));
  const double share =
      static_cast<double>(count.occurrences) / static_cast<double>(std::max<int64_t>(1, occurrences_));
  return static_cast<float>(a_ / (a_ + share));
}

}  // namespace semblance
