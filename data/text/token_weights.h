// How much each token of a text counts (row 6.6).
#pragma once

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "data/fields.h"
#include "data/ragged.h"

namespace semblance {

enum class TokenWeights { None, Idf };

template <>
struct EnumNames<TokenWeights> {
  static constexpr std::array names{std::pair{TokenWeights::None, "none"},
                                    std::pair{TokenWeights::Idf, "idf"}};
};

inline constexpr Field kTokenWeightsField = {
    .help = "idf: in a text's mean, words and n-grams count the more the fewer training texts have them"};

/// ln((1 + n) / (1 + df)) + 1 for each id below `ids`, where df of the n rows of `texts` have it:
/// scikit-learn's smooth idf. 0 for an id that no text has: n-grams never trained on take no share in a mean.
std::vector<float> inverse_document_frequencies(const RaggedIds& texts, int64_t ids);

}  // namespace semblance
