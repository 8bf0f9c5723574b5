#include "data/text/token_weights.h"

#include <cmath>

namespace semblance {

std::vector<float> inverse_document_frequencies(const RaggedIds& texts, int64_t ids) {
  std::vector<int64_t> last_text(static_cast<size_t>(ids), -1), frequencies(static_cast<size_t>(ids));
  for (int64_t text = 0; text < texts.size(); ++text)
    for (const int32_t id : texts[text])
      if (auto& last = last_text[static_cast<size_t>(id)]; last != text) {
        last = text;
        ++frequencies[static_cast<size_t>(id)];
      }
  std::vector<float> idf;
  idf.reserve(frequencies.size());
  const auto n = static_cast<double>(texts.size());
  for (const int64_t df : frequencies)
    idf.push_back(df == 0 ? 0.0f : static_cast<float>(std::log((1 + n) / (1 + static_cast<double>(df))) + 1));
  return idf;
}

}  // namespace semblance
