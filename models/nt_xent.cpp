#include "models/nt_xent.h"

#include <torch/csrc/autograd/custom_function.h>
#include <torch/types.h>

#include <array>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "models/blocks.h"
#include "models/kernel_choice.h"
#include "models/kernels.h"

namespace semblance {
namespace {

at::Tensor rows_of(const at::Tensor& matrix, int64_t begin, int64_t end) {
  return matrix.narrow(0, begin, end - begin);
}

// As 1 / alpha: exponentials of scores between −1 / alpha and 1 / alpha, less 1 / alpha, are floats with all
// their digits.
constexpr float kMostForOnce = 40;

// About how many nanoseconds it takes to bring a row to unit length, or a gradient through that.
double norm_cost(int64_t dim) {
  return 0.3 * static_cast<double>(dim);
}

struct UnitRows {
  at::Tensor rows;           // [n, dim]
  at::Tensor inverse_norms;  // [n]
};

// Of matrices of one shape.
template <size_t N>
std::array<UnitRows, N> unit_rows(const std::array<at::Tensor, N>& matrices) {
  std::array<UnitRows, N> units;
  for (size_t m = 0; m < N; ++m)
    units[m] = {at::empty_like(matrices[m]), at::empty({matrices[m].size(0)}, matrices[m].options())};
  const double cost = static_cast<double>(N) * norm_cost(matrices[0].size(1));
  for_each_block(matrices[0].size(0), cost, [&](int64_t begin, int64_t end) {
    for (size_t m = 0; m < N; ++m) {
      const at::Tensor& matrix = matrices[m];
      const UnitRows& unit = units[m];
      kernels::unit_rows(matrix.const_data_ptr<float>(), begin, end, matrix.size(1),
                         static_cast<float>(kSmallestNorm), unit.rows.mutable_data_ptr<float>(),
                         unit.inverse_norms.mutable_data_ptr<float>());
    }
  });
  return units;
}

// The gradient by the rows that `unit` was made of, from that by itself: rows [begin, end) of `result`.
void through_length(const UnitRows& unit, const at::Tensor& gradient, int64_t begin, int64_t end,
                    const at::Tensor& result) {
  kernels::unit_rows_gradient(unit.rows.const_data_ptr<float>(), unit.inverse_norms.const_data_ptr<float>(),
                              gradient.const_data_ptr<float>(), begin, end, unit.rows.size(1),
                              static_cast<float>(kSmallestNorm), result.mutable_data_ptr<float>());
}

// Pairs' hard negatives: candidates beside the matrix of scores.
class OwnNegatives {
 public:
  // Takes part in the sums of the pairs' rows and columns. All but the scalar are to outlive it.
  OwnNegatives(const at::Tensor& negatives, const at::Tensor& owners, const UnitRows& q, const UnitRows& d,
               float inverse_alpha, std::vector<float>& row_lse, std::vector<float>& column_lse)
      : q_(q),
        d_(d),
        starts_(row_lse.size() + 1),
        q_scores_(static_cast<size_t>(negatives.size(0))),
        d_scores_(q_scores_.size()) {
    const std::span numbers(owners.const_data_ptr<int64_t>(), q_scores_.size());
    for (const int64_t owner : numbers) ++starts_[static_cast<size_t>(owner) + 1];
    for (size_t i = 1; i < starts_.size(); ++i) starts_[i] += starts_[i - 1];
    unit_ = unit_rows(std::array{negatives.contiguous()})[0];
    for_each_pair([&](int64_t begin, int64_t end) {
      const auto score = [&](const UnitRows& side, std::vector<float>& scores, std::vector<float>& lse) {
        kernels::negative_scores(side.rows.const_data_ptr<float>(), unit_.rows.const_data_ptr<float>(),
                                 starts_.data(), begin, end, dim(), inverse_alpha, scores.data(), lse.data());
      };
      score(q_, q_scores_, row_lse);
      score(d_, d_scores_, column_lse);
    });
  }

  // Adds to those by the unit rows of queries and documents; returns the sum of scores, each by its gradient.
  double add_gradients(const std::vector<float>& row_lse, const std::vector<float>& column_lse,
                       const at::Tensor& q_gradient, const at::Tensor& d_gradient) {
    gradient_ = at::zeros_like(unit_.rows);
    std::vector<double> terms(row_lse.size());
    for_each_pair([&](int64_t begin, int64_t end) {
      const auto add = [&](const UnitRows& side, const std::vector<float>& scores,
                           const std::vector<float>& lse, const at::Tensor& side_gradient) {
        kernels::negative_gradient(side.rows.const_data_ptr<float>(), unit_.rows.const_data_ptr<float>(),
                                   starts_.data(), begin, end, dim(), lse.data(), scores.data(),
                                   side_gradient.mutable_data_ptr<float>(),
                                   gradient_.mutable_data_ptr<float>(), terms.data());
      };
      add(q_, q_scores_, row_lse, q_gradient);
      add(d_, d_scores_, column_lse, d_gradient);
    });
    double sum = 0;
    for (const double term : terms) sum += term;
    return sum;
  }

  // The gradient by the negatives, once those are added.
  at::Tensor by_negatives() const {
    auto result = at::empty_like(gradient_);
    for_each_block(gradient_.size(0), norm_cost(dim()),
                   [&](int64_t begin, int64_t end) { through_length(unit_, gradient_, begin, end, result); });
    return result;
  }

 private:
  int64_t dim() const { return unit_.rows.size(1); }
  template <class Body>
  void for_each_pair(Body&& body) const {
    const auto pairs = static_cast<int64_t>(starts_.size()) - 1;
    const double each = static_cast<double>(q_scores_.size()) / static_cast<double>(pairs);
    for_each_block(pairs, each * 2 * norm_cost(dim()), body);
  }

  const UnitRows &q_, &d_;
  UnitRows unit_;
  at::Tensor gradient_;          // by the unit rows
  std::vector<int64_t> starts_;  // pair i's are starts_[i] to starts_[i + 1] - 1
  std::vector<float> q_scores_, d_scores_;
};

class NtXentFunction : public torch::autograd::Function<NtXentFunction> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& queries,
                            const at::Tensor& documents, const at::Tensor& alpha,
                            const std::optional<at::Tensor>& groups,
                            const std::optional<at::Tensor>& negatives,
                            const std::optional<at::Tensor>& owners) {
    const int64_t n = queries.size(0);
    // On the CPU reading a scalar waits for nothing; other devices do not come here.
    const float inverse_alpha = 1 / alpha.item<float>();
    const auto both = unit_rows(std::array{queries.contiguous(), documents.contiguous()});
    const auto &q = both[0], &d = both[1];  // lambdas capture no structured binding in clang 16 with OpenMP
    const auto s = at::empty({n, n}, queries.options());
    float* scores = s.mutable_data_ptr<float>();
    std::vector<float> row_lse(static_cast<size_t>(n)), column_lse(static_cast<size_t>(n)),
        own_scores(static_cast<size_t>(n));
    const auto rows_done = at::from_blob(row_lse.data(), {n}),
               columns_done = at::from_blob(column_lse.data(), {n}),
               own_done = at::from_blob(own_scores.data(), {n});
    const double product = product_cost(q.rows.size(1), n),
                 row = 0.3 * static_cast<double>(n);  // nanoseconds
    // No score is above 1 / alpha. Where none is too far below, one exponential of what it lacks of that
    // serves its row's sum, its column's and the gradient, and takes its place.
    const bool once = inverse_alpha <= kMostForOnce;
    for_each_shared_block(n, product + row, {s, rows_done, own_done}, [&](int64_t begin, int64_t end) {
      auto block = rows_of(s, begin, end);
      at::mm_out(block, rows_of(q.rows, begin, end), d.rows.t());
      if (groups) kernels::mask_equal_groups(groups->const_data_ptr<int64_t>(), begin, end, n, scores);
      const auto scale = once ? kernels::exponentials_and_row_lse : kernels::scale_and_row_lse;
      scale(inverse_alpha, begin, end, n, scores, own_scores.data(), row_lse.data());
    });
    for_each_shared_block(n, once ? 0.1 * row : row, {columns_done}, [&](int64_t begin, int64_t end) {
      if (once)
        kernels::column_lse_of_exponentials(inverse_alpha, scores, n, n, begin, end, column_lse.data());
      else
        kernels::column_lse(scores, n, n, begin, end, column_lse.data());
    });
    std::optional<OwnNegatives> own;
    if (negatives) own.emplace(*negatives, *owners, q, d, inverse_alpha, row_lse, column_lse);
    double total = 0;
    for (int64_t i = 0; i < n; ++i) {
      const auto at = static_cast<size_t>(i);
      total += (static_cast<double>(row_lse[at]) + static_cast<double>(column_lse[at])) / 2 -
               static_cast<double>(own_scores[at]);
    }

    // The gradient by S takes its place; by Q̂ and D̂ it is a product of it with the other's rows.
    const auto q_gradient = at::empty_like(q.rows), d_gradient = at::empty_like(d.rows);
    const auto by_queries = at::empty_like(q.rows), by_documents = at::empty_like(d.rows);
    // In one go, where no other rank makes a share of the products: both want all rows of the gradient by S;
    // and through the lengths as well, where nothing is to be added before.
    const bool shared =
        worth_sharing(product * static_cast<double>(n), static_cast<double>(q_gradient.nbytes()));
    const bool whole = !shared && !own;
    for_each_block(n, product + row, [&](int64_t begin, int64_t end) {
      if (once)
        kernels::nt_xent_gradient_of_exponentials(inverse_alpha, row_lse.data(), column_lse.data(), begin,
                                                  end, n, scores);
      else
        kernels::nt_xent_gradient(row_lse.data(), column_lse.data(), begin, end, n, scores);
      if (shared) return;
      auto block = rows_of(q_gradient, begin, end);
      at::mm_out(block, rows_of(s, begin, end), d.rows);
      if (whole) through_length(q, q_gradient, begin, end, by_queries);
    });
    if (shared) {
      multiply_into(q_gradient, s, d.rows);
      multiply_into(d_gradient, s.t(), q.rows);
    } else {
      for_each_block(n, product, [&](int64_t begin, int64_t end) {
        auto block = rows_of(d_gradient, begin, end);
        at::mm_out(block, rows_of(s.t(), begin, end), q.rows);
        if (whole) through_length(d, d_gradient, begin, end, by_documents);
      });
    }
    // Σ of scores, each by its gradient: of a row of S, q̂ᵢ by its gradient.
    double by_scores = alpha.requires_grad() ? static_cast<double>(inverse_alpha) *
                                                   (q.rows * q_gradient).sum(at::kDouble).item<double>()
                                             : 0;
    torch::autograd::variable_list saved{by_queries, by_documents};
    if (own) {
      by_scores += own->add_gradients(row_lse, column_lse, q_gradient, d_gradient);
      saved.push_back(own->by_negatives());
    }
    if (!whole)
      for_each_block(n, 2 * norm_cost(q.rows.size(1)), [&](int64_t begin, int64_t end) {
        through_length(q, q_gradient, begin, end, by_queries);
        through_length(d, d_gradient, begin, end, by_documents);
      });
    context->save_for_backward(saved);
    context->saved_data["inverse_alpha"] = static_cast<double>(inverse_alpha);
    context->saved_data["by_alpha"] = -by_scores * static_cast<double>(inverse_alpha);
    return at::full({}, total, queries.options());
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const auto factor = gradients[0].item<double>();
    const double scale = factor * context->saved_data["inverse_alpha"].toDouble();
    return {saved[0].mul(scale),
            saved[1].mul(scale),
            at::full({}, factor * context->saved_data["by_alpha"].toDouble(), gradients[0].options()),
            at::Tensor(),
            saved.size() > 2 ? saved[2].mul(scale) : at::Tensor(),
            at::Tensor()};
  }
};

void check(const at::Tensor& queries, const at::Tensor& documents, const at::Tensor& alpha,
           const at::Tensor& groups, const HardNegatives& negatives) {
  TORCH_CHECK(queries.dim() == 2 && queries.sizes() == documents.sizes() && queries.size(0) > 0,
              "nt_xent: queries and documents must be matrices of one shape");
  TORCH_CHECK(queries.scalar_type() == at::kFloat && documents.scalar_type() == at::kFloat,
              "nt_xent: queries and documents must be float32");
  TORCH_CHECK(alpha.dim() == 0, "nt_xent: alpha must be a scalar");
  TORCH_CHECK(!groups.defined() || (groups.dim() == 1 && groups.size(0) == queries.size(0) &&
                                    groups.scalar_type() == at::kLong && groups.is_contiguous()),
              "nt_xent: groups must be int64, one a pair");
  const auto& [vectors, owners] = negatives;
  TORCH_CHECK(!vectors.defined() || (vectors.dim() == 2 && vectors.size(1) == queries.size(1) &&
                                     vectors.scalar_type() == at::kFloat && owners.dim() == 1 &&
                                     owners.size(0) == vectors.size(0) && owners.scalar_type() == at::kLong),
              "nt_xent: negatives must be float32, each with the int64 number of its pair");
}

LossSum with_weight(const at::Tensor& total, int64_t batch) {
  return {total, at::full({}, batch, total.options().requires_grad(false))};
}

}  // namespace

LossSum nt_xent(const at::Tensor& queries, const at::Tensor& documents, const at::Tensor& alpha,
                const at::Tensor& groups, const HardNegatives& negatives) {
  if (!own_kernels_for(queries)) return nt_xent_plain(queries, documents, alpha, groups, negatives);
  check(queries, documents, alpha, groups, negatives);
  const auto given = [](const at::Tensor& tensor) {
    return tensor.defined() ? std::optional(tensor) : std::nullopt;
  };
  return with_weight(NtXentFunction::apply(queries, documents, alpha, given(groups), given(negatives.vectors),
                                           given(negatives.owners)),
                     queries.size(0));
}

LossSum nt_xent_plain(const at::Tensor& queries, const at::Tensor& documents, const at::Tensor& alpha,
                      const at::Tensor& groups, const HardNegatives& negatives) {
  check(queries, documents, alpha, groups, negatives);
  constexpr double kMasked = -std::numeric_limits<double>::infinity();
  const auto q = normalised_rows(queries), d = normalised_rows(documents);
  auto s = at::mm(q, d.t()) / alpha;
  if (groups.defined()) {
    const auto pair = at::arange(s.size(0), groups.options());
    const auto others = pair.unsqueeze(1).ne(pair.unsqueeze(0));
    s = s.masked_fill(groups.unsqueeze(1).eq(groups.unsqueeze(0)).bitwise_and(others), kMasked);
  }
  auto from_queries = s, from_documents = s.t();
  if (negatives.vectors.defined()) {
    const auto& owners = negatives.owners;
    const auto n = normalised_rows(negatives.vectors);
    const auto owned = owners.unsqueeze(0).eq(at::arange(s.size(0), owners.options()).unsqueeze(1));
    const auto go_on = [&](at::Tensor& scores, const at::Tensor& side) {
      const auto own = (side.index_select(0, owners) * n).sum(1) / alpha;
      scores = at::cat({scores, at::where(owned, own.unsqueeze(0), at::full({}, kMasked, s.options()))}, 1);
    };
    go_on(from_queries, q);
    go_on(from_documents, d);
  }
  const auto pairs =
      at::log_softmax(from_queries, 1).diagonal() + at::log_softmax(from_documents, 1).diagonal();
  return with_weight(pairs.sum().mul(-0.5), queries.size(0));
}

}  // namespace semblance
