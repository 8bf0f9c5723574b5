// Losses, kept as a sum and a weight so that means over unequal batches come out exact.
#pragma once

#include <ATen/core/Tensor.h>

namespace semblance {

/// Vectors shorter than this are divided by it instead of by their length.
constexpr double kSmallestNorm = 1e-12;

/// A loss summed over examples and the weight it is to be divided by: two scalars on the batch's device.
struct LossSum {
  at::Tensor total;   ///< [] with a graph behind it
  at::Tensor weight;  ///< [] without
  at::Tensor mean() const { return total.div(weight); }
};

/// `value` as a scalar of `like`'s type and device; what is too large for the type is infinite, no error.
at::Tensor scalar_like(double value, const at::Tensor& like);

/// Adds the gradient of share · mean() to the parameters behind it.
void backward(const LossSum& loss, double share = 1);

enum class ClassificationLoss {
  Bce,           ///< binary cross entropy of sigmoid(logits)
  BceLogits,     ///< the same from the logits, which is exact where the sigmoid saturates
  CrossEntropy,  ///< cross entropy of softmax(logits)
  Nll,           ///< negative log-likelihood of log_softmax(logits): the same value in two steps
  Sampled,       ///< cross entropy; in training of a sample of the outputs, see sampled_loss
};

/// Whether the loss takes each output by itself (sigmoid) and not all as one distribution (softmax).
inline bool is_binary(ClassificationLoss loss) {
  return loss == ClassificationLoss::Bce || loss == ClassificationLoss::BceLogits;
}

/// logits [batch, outputs].
/// targets: int64 [batch] class numbers, or float [batch, outputs] of 0 and 1 for multi-label texts
/// (binary losses only). One output and class numbers 0 and 1: the output is class 1's. class_weights:
/// undefined, or float [classes], the weight of an example by its class (for class numbers only).
LossSum classification_loss(const at::Tensor& logits, const at::Tensor& targets, ClassificationLoss loss,
                            const at::Tensor& class_weights = {});

/// Cross entropy of softmax over many outputs by a sample of them (importance sampling: Bengio and Senécal
/// 2003, "Quick training of probabilistic neural nets"). logits [batch, candidates]: of the batch's own
/// classes and of those drawn. places: int64 [batch], the own class's among the candidates. log_chance: float
/// [candidates], the logarithm of the probability with which a candidate was drawn; infinite for one that is
/// there for being somebody's own class alone. With the own class counted as it is and every other one that
/// was drawn divided by its probability, the sum of exponentials is right on average. class_weights as above,
/// by candidate.
LossSum sampled_loss(const at::Tensor& logits, const at::Tensor& places, const at::Tensor& log_chance,
                     const at::Tensor& class_weights = {});

/// `rows` [n, dim] brought to length 1; a row shorter than kSmallestNorm is divided by that.
at::Tensor normalised_rows(const at::Tensor& rows);

/// Squared difference of the cosines of a and b, both [batch, dim], and `targets`, float [batch], the
/// rows normalised as above.
LossSum cosine_loss(const at::Tensor& a, const at::Tensor& b, const at::Tensor& targets);

/// Squared error of output and target, both [batch, dim], over batch · dim numbers: PyTorch's mse_loss.
LossSum squared_error(const at::Tensor& output, const at::Tensor& target);

/// logits [batch, outputs] to probabilities of the same shape: sigmoid or softmax, as the loss has it.
at::Tensor class_probabilities(const at::Tensor& logits, ClassificationLoss loss);

}  // namespace semblance
