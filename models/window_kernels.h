// word2vec's inner loops: one window's step of stochastic gradient descent with negative sampling. T. Mikolov
// et al. 2013, "Distributed representations of words and phrases and their compositionality", formula 4; all
// predictions of a window share its negatives, so that they are three small matrix products: Ji et al. 2016,
// "Parallelizing word2vec in shared and distributed memory".
#pragma once

#include <cstdint>

namespace semblance::kernels {

/// Floats in a row that these kernels take: a multiple of 8, the rows aligned to 32 bytes.
constexpr int64_t kRowFloats = 8;
constexpr int64_t padded_row(int64_t dim) {
  return (dim + kRowFloats - 1) / kRowFloats * kRowFloats;
}

/// Of a window: `contexts` of the words around its centre; `outputs` of the centre, then of words that are
/// not in its place (negatives), all different rows.
struct Window {
  float* const* contexts;  ///< input rows, [context_count] pointers to [floats]
  int64_t context_count;
  float* const* outputs;  ///< output rows, [output_count] pointers to [floats]
  int64_t output_count;
  int64_t floats;  ///< of a row; what is past the model's dimensions must be 0, and stays so
  float* scratch;  ///< [2 · floats], to be overwritten
};
/// The most contexts of a window.
constexpr int64_t kMostContexts = 256;

/// Skip-gram: each context's row c predicts which of the outputs is the centre. With logits x = c · o and
/// g = [o is the centre] − σ(x): c += rate · Σ g o and o += rate · Σ g c, all with the rows as they were.
/// Returns the loss, Σ −log σ(±x), before that.
double skip_gram_step(const Window& window, float rate);

/// CBOW: the mean h of the contexts' rows predicts it. o += rate · g h, and each context's row changes by
/// rate · Σ g o: not by its share of the mean, as in the original. Returns the loss.
double cbow_step(const Window& window, float rate);

}  // namespace semblance::kernels
