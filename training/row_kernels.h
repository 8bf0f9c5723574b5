// Optimizer updates of single rows of a table on the CPU.
#pragma once

#include <cstdint>

namespace semblance::kernels {

/// Adam (Kingma & Ba 2015) on the rows that have a gradient, as torch.optim.SparseAdam does it: the moments
/// of other rows stay as they are, and the bias correction counts all steps.
struct LazyAdamStep {
  float beta1, beta2;
  float eps;
  float step_size;  ///< learning rate · sqrt(1 - beta2^t) / (1 - beta1^t)
};

/// rows [n] int64; gradient [n, dim]; keep [n], what each row is multiplied by first (decay), or null for 1;
/// weight, exp_avg, exp_avg_sq [table rows, dim]. Handles rows[begin, end).
void lazy_adam_rows(const LazyAdamStep& step, const int64_t* rows, const float* gradient, const float* keep,
                    int64_t begin, int64_t end, int64_t dim, float* weight, float* exp_avg,
                    float* exp_avg_sq);

/// Adagrad with one state value per row: sums[row] += mean of the row's squared gradient, weight[row] −=
/// learning_rate · gradient / (√sums[row] + eps). The gradient has weight_decay · weight[row] added first.
/// Arrays as above; sums [table rows].
struct RowwiseAdagradStep {
  float learning_rate, weight_decay, eps;
};
void rowwise_adagrad_rows(const RowwiseAdagradStep& step, const int64_t* rows, const float* gradient,
                          int64_t begin, int64_t end, int64_t dim, float* weight, float* sums);

}  // namespace semblance::kernels
