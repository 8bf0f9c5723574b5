// Softmax over many outputs, on several threads.
#pragma once

#include <ATen/core/Tensor.h>

namespace semblance {

/// Cross entropy of softmax(logits), summed over the rows: at::cross_entropy_loss, in two passes where that
/// makes five. logits: float32 [n, outputs], −∞ where an output cannot be; targets: int64 [n] below outputs;
/// class_weights: undefined, or float32 [outputs]. Another device's logits go through LibTorch's own. Spreads
/// its work over threads, and is the same for any number of them.
at::Tensor softmax_cross_entropy(const at::Tensor& logits, const at::Tensor& targets,
                                 const at::Tensor& class_weights = {});

}  // namespace semblance
