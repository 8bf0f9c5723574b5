// NT-Xent (row 6.3): the loss that draws the two texts of a pair together and every other pair of texts in
// the batch apart. K. Sohn, "Improved deep metric learning with multi-class N-pair loss objective", 2016; the
// name is T. Chen et al.'s, "A simple framework for contrastive learning of visual representations", 2020.
#pragma once

#include <ATen/core/Tensor.h>

#include "models/losses.h"

namespace semblance {

/// texts: float32 [2 · batch + negatives, dim]: queries, then their documents (document i belongs to query
/// i), then the texts that are known to be no duplicates of a pair's. alpha: float32 [], the temperature,
/// above zero; it may need a gradient. groups: int64 [batch], or undefined where every pair is of a group of
/// its own: document j is left out of query i's candidates, and query j out of document i's, if their groups
/// are equal and i ≠ j. owners: int64 [negatives], or undefined where there are none: the pair of each hard
/// negative, ascending. They are further candidates of their pairs' queries and documents alike, and of no
/// others.
///
/// Over the rows of S = Q̂ D̂ᵀ / alpha, where ˆ divides each row by max(its length, kSmallestNorm), and those
/// of Sᵀ: total = Σ −½ log softmax(S)ᵢᵢ − ½ log softmax(Sᵀ)ᵢᵢ; weight = batch. With hard negatives, row i of
/// S goes on with q̂ᵢ · n̂ / alpha for each of pair i's, and row i of Sᵀ with d̂ᵢ · n̂ / alpha. On the CPU value
/// and gradients come of one pass over S in blocks, the same bits for any number of threads; elsewhere of
/// nt_xent_plain.
LossSum nt_xent(const at::Tensor& texts, const at::Tensor& alpha, const at::Tensor& groups = {},
                const at::Tensor& owners = {});

/// The same in LibTorch's operators: what the fused one is tested against.
LossSum nt_xent_plain(const at::Tensor& texts, const at::Tensor& alpha, const at::Tensor& groups = {},
                      const at::Tensor& owners = {});

}  // namespace semblance
