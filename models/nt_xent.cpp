#include "models/nt_xent.h"

#include <torch/csrc/autograd/custom_function.h>
#include <torch/types.h>

#include <limits>
#include <optional>
#include <vector>

#include "models/blocks.h"
#include "models/kernels.h"

namespace semblance {
namespace {

at::Tensor rows_of(const at::Tensor& matrix, int64_t begin, int64_t end) {
  return matrix.narrow(0, begin, end - begin);
}

// About how many nanoseconds it takes to bring a row to unit length, or a gradient through that.
double norm_cost(int64_t dim) {
  return 0.3 * static_cast<double>(dim);
}

struct UnitRows {
  at::Tensor rows;           // [n, dim]
  at::Tensor inverse_norms;  // [n]
};

// Of two matrices of one shape.
std::pair<UnitRows, UnitRows> unit_rows(const at::Tensor& a, const at::Tensor& b) {
  const auto empty = [](const at::Tensor& matrix) {
    return UnitRows{at::empty_like(matrix), at::empty({matrix.size(0)}, matrix.options())};
  };
  std::pair units{empty(a), empty(b)};
  for_each_block(a.size(0), 2 * norm_cost(a.size(1)), [&](int64_t begin, int64_t end) {
    const auto fill = [&](const at::Tensor& matrix, const UnitRows& unit) {
      kernels::unit_rows(matrix.const_data_ptr<float>(), begin, end, matrix.size(1),
                         static_cast<float>(kSmallestNorm), unit.rows.mutable_data_ptr<float>(),
                         unit.inverse_norms.mutable_data_ptr<float>());
    };
    fill(a, units.first);
    fill(b, units.second);
  });
  return units;
}

class NtXentFunction : public torch::autograd::Function<NtXentFunction> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& queries,
                            const at::Tensor& documents, const at::Tensor& alpha,
                            const std::optional<at::Tensor>& groups) {
    const int64_t n = queries.size(0);
    // On the CPU reading a scalar waits for nothing; other devices do not come here.
    const float inverse_alpha = 1 / alpha.item<float>();
    const auto [q, d] = unit_rows(queries.contiguous(), documents.contiguous());
    const auto s = at::empty({n, n}, queries.options());
    float* scores = s.mutable_data_ptr<float>();
    std::vector<float> row_lse(static_cast<size_t>(n)), column_lse(static_cast<size_t>(n));
    const double product = product_cost(q.rows.size(1), n),
                 row = 0.6 * static_cast<double>(n);  // nanoseconds
    for_each_block(n, product + row, [&](int64_t begin, int64_t end) {
      auto block = rows_of(s, begin, end);
      at::mm_out(block, rows_of(q.rows, begin, end), d.rows.t());
      if (groups) kernels::mask_equal_groups(groups->const_data_ptr<int64_t>(), begin, end, n, scores);
      kernels::scale_and_row_lse(inverse_alpha, begin, end, n, scores, row_lse.data());
    });
    for_each_block(n, row, [&](int64_t begin, int64_t end) {
      kernels::column_lse(scores, n, n, begin, end, column_lse.data());
    });
    double total = 0;
    for (int64_t i = 0; i < n; ++i) {
      const auto at = static_cast<size_t>(i);
      total += (static_cast<double>(row_lse[at]) + static_cast<double>(column_lse[at])) / 2 -
               static_cast<double>(scores[i * n + i]);
    }

    // The gradient by S takes its place; by Q̂ and D̂ it is a product of it with the other's rows.
    std::vector<double> alpha_terms(static_cast<size_t>(n));
    const auto q_gradient = at::empty_like(q.rows), d_gradient = at::empty_like(d.rows);
    for_each_block(n, product + 2 * row, [&](int64_t begin, int64_t end) {
      kernels::nt_xent_gradient(row_lse.data(), column_lse.data(), begin, end, n, scores, alpha_terms.data());
      auto block = rows_of(q_gradient, begin, end);
      at::mm_out(block, rows_of(s, begin, end), d.rows);
    });
    multiply_into(d_gradient, s.t(), q.rows);
    double by_alpha = 0;
    for (const double term : alpha_terms) by_alpha -= term;
    context->save_for_backward({q.rows, q.inverse_norms, q_gradient, d.rows, d.inverse_norms, d_gradient});
    context->saved_data["inverse_alpha"] = static_cast<double>(inverse_alpha);
    context->saved_data["by_alpha"] = by_alpha * static_cast<double>(inverse_alpha);
    return at::full({}, total, queries.options());
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const auto factor = gradients[0].item<double>();
    const auto scale = static_cast<float>(factor * context->saved_data["inverse_alpha"].toDouble());
    const auto through_norm = [&](const at::Tensor& unit, const at::Tensor& inverse_norms,
                                  const at::Tensor& gradient) {
      auto result = at::empty_like(unit);
      for_each_block(unit.size(0), norm_cost(unit.size(1)), [&](int64_t begin, int64_t end) {
        kernels::unit_rows_gradient(unit.const_data_ptr<float>(), inverse_norms.const_data_ptr<float>(),
                                    gradient.const_data_ptr<float>(), scale, begin, end, unit.size(1),
                                    static_cast<float>(kSmallestNorm), result.mutable_data_ptr<float>());
      });
      return result;
    };
    return {through_norm(saved[0], saved[1], saved[2]), through_norm(saved[3], saved[4], saved[5]),
            at::full({}, factor * context->saved_data["by_alpha"].toDouble(), gradients[0].options()),
            at::Tensor()};
  }
};

void check(const at::Tensor& queries, const at::Tensor& documents, const at::Tensor& alpha,
           const at::Tensor& groups) {
  TORCH_CHECK(queries.dim() == 2 && queries.sizes() == documents.sizes() && queries.size(0) > 0,
              "nt_xent: queries and documents must be matrices of one shape");
  TORCH_CHECK(queries.scalar_type() == at::kFloat && documents.scalar_type() == at::kFloat,
              "nt_xent: queries and documents must be float32");
  TORCH_CHECK(alpha.dim() == 0, "nt_xent: alpha must be a scalar");
  TORCH_CHECK(!groups.defined() || (groups.dim() == 1 && groups.size(0) == queries.size(0) &&
                                    groups.scalar_type() == at::kLong && groups.is_contiguous()),
              "nt_xent: groups must be int64, one a pair");
}

LossSum with_weight(const at::Tensor& total, int64_t batch) {
  return {total, at::full({}, batch, total.options().requires_grad(false))};
}

}  // namespace

LossSum nt_xent(const at::Tensor& queries, const at::Tensor& documents, const at::Tensor& alpha,
                const at::Tensor& groups) {
  if (!queries.is_cpu()) return nt_xent_plain(queries, documents, alpha, groups);
  check(queries, documents, alpha, groups);
  const auto given = groups.defined() ? std::optional(groups) : std::nullopt;
  return with_weight(NtXentFunction::apply(queries, documents, alpha, given), queries.size(0));
}

LossSum nt_xent_plain(const at::Tensor& queries, const at::Tensor& documents, const at::Tensor& alpha,
                      const at::Tensor& groups) {
  check(queries, documents, alpha, groups);
  const auto unit = [](const at::Tensor& rows) {
    return rows / at::norm(rows, 2, {1}, /*keepdim=*/true).clamp_min(kSmallestNorm);
  };
  auto s = at::mm(unit(queries), unit(documents).t()) / alpha;
  if (groups.defined()) {
    const auto others = at::eye(s.size(0), at::dtype(at::kBool).device(s.device())).logical_not();
    s = s.masked_fill(groups.unsqueeze(1).eq(groups.unsqueeze(0)).logical_and(others),
                      -std::numeric_limits<double>::infinity());
  }
  const auto pairs = at::log_softmax(s, 1).diagonal() + at::log_softmax(s, 0).diagonal();
  return with_weight(pairs.sum().mul(-0.5), queries.size(0));
}

}  // namespace semblance
