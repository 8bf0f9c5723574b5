#include "models/nt_xent.h"

#include <torch/csrc/autograd/custom_function.h>
#include <torch/types.h>

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

UnitRows unit_rows(const at::Tensor& matrix) {
  const UnitRows unit{at::empty_like(matrix), at::empty({matrix.size(0)}, matrix.options())};
  for_each_block(matrix.size(0), norm_cost(matrix.size(1)), [&](int64_t begin, int64_t end) {
    kernels::unit_rows(matrix.const_data_ptr<float>(), begin, end, matrix.size(1),
                       static_cast<float>(kSmallestNorm), unit.rows.mutable_data_ptr<float>(),
                       unit.inverse_norms.mutable_data_ptr<float>());
  });
  return unit;
}

// The gradient by the rows that `unit` was made of, from that by itself, times `scale`: rows [begin, end) of
// `result`.
void through_length(const UnitRows& unit, const at::Tensor& gradient, float scale, int64_t begin, int64_t end,
                    const at::Tensor& result) {
  kernels::unit_rows_gradient(unit.rows.const_data_ptr<float>(), unit.inverse_norms.const_data_ptr<float>(),
                              gradient.const_data_ptr<float>(), begin, end, unit.rows.size(1),
                              static_cast<float>(kSmallestNorm), scale, result.mutable_data_ptr<float>());
}

// Pairs' hard negatives: candidates beside the matrix of scores.
class OwnNegatives {
 public:
  // Takes part in the sums of the pairs' rows and columns. `negatives`, `q` and `d`: unit rows.
  OwnNegatives(const at::Tensor& negatives, const at::Tensor& owners, const at::Tensor& q,
               const at::Tensor& d, float inverse_alpha, std::vector<float>& row_lse,
               std::vector<float>& column_lse)
      : q_(q),
        d_(d),
        negatives_(negatives),
        starts_(row_lse.size() + 1),
        q_scores_(static_cast<size_t>(negatives.size(0))),
        d_scores_(q_scores_.size()) {
    const std::span numbers(owners.const_data_ptr<int64_t>(), q_scores_.size());
    for (const int64_t owner : numbers) ++starts_[static_cast<size_t>(owner) + 1];
    for (size_t i = 1; i < starts_.size(); ++i) starts_[i] += starts_[i - 1];
    for_each_pair([&](int64_t begin, int64_t end) {
      const auto score = [&](const at::Tensor& side, std::vector<float>& scores, std::vector<float>& lse) {
        kernels::negative_scores(side.const_data_ptr<float>(), negatives_.const_data_ptr<float>(),
                                 starts_.data(), begin, end, dim(), inverse_alpha, scores.data(), lse.data());
      };
      score(q_, q_scores_, row_lse);
      score(d_, d_scores_, column_lse);
    });
  }

  // Adds to those by the unit rows of queries and documents, sets those by the negatives; returns the sum of
  // scores, each by its gradient.
  double add_gradients(const std::vector<float>& row_lse, const std::vector<float>& column_lse,
                       const at::Tensor& q_gradient, const at::Tensor& d_gradient,
                       const at::Tensor& gradient) const {
    gradient.zero_();
    std::vector<double> terms(row_lse.size());
    for_each_pair([&](int64_t begin, int64_t end) {
      const auto add = [&](const at::Tensor& side, const std::vector<float>& scores,
                           const std::vector<float>& lse, const at::Tensor& side_gradient) {
        kernels::negative_gradient(side.const_data_ptr<float>(), negatives_.const_data_ptr<float>(),
                                   starts_.data(), begin, end, dim(), lse.data(), scores.data(),
                                   side_gradient.mutable_data_ptr<float>(),
                                   gradient.mutable_data_ptr<float>(), terms.data());
      };
      add(q_, q_scores_, row_lse, q_gradient);
      add(d_, d_scores_, column_lse, d_gradient);
    });
    double sum = 0;
    for (const double term : terms) sum += term;
    return sum;
  }

 private:
  int64_t dim() const { return negatives_.size(1); }
  template <class Body>
  void for_each_pair(Body&& body) const {
    const auto pairs = static_cast<int64_t>(starts_.size()) - 1;
    const double each = static_cast<double>(q_scores_.size()) / static_cast<double>(pairs);
    for_each_block(pairs, each * 2 * norm_cost(dim()), body);
  }

  at::Tensor q_, d_, negatives_;
  std::vector<int64_t> starts_;  // pair i's are starts_[i] to starts_[i + 1] - 1
  std::vector<float> q_scores_, d_scores_;
};

class NtXentFunction : public torch::autograd::Function<NtXentFunction> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& texts,
                            const at::Tensor& alpha, const std::optional<at::Tensor>& groups,
                            const std::optional<at::Tensor>& owners, int64_t n) {
    const auto unit = unit_rows(texts.contiguous());
    const auto gradient = at::empty_like(unit.rows);  // by `unit`
    const auto q = rows_of(unit.rows, 0, n), d = rows_of(unit.rows, n, 2 * n),
               q_gradient = rows_of(gradient, 0, n), d_gradient = rows_of(gradient, n, 2 * n);
    // On the CPU reading a scalar waits for nothing; other devices do not come here.
    const float inverse_alpha = 1 / alpha.item<float>();
    const auto s = at::empty({n, n}, texts.options());
    float* scores = s.mutable_data_ptr<float>();
    std::vector<float> row_lse(static_cast<size_t>(n)), column_lse(static_cast<size_t>(n)),
        own_scores(static_cast<size_t>(n));
    const auto rows_done = at::from_blob(row_lse.data(), {n}),
               columns_done = at::from_blob(column_lse.data(), {n}),
               own_done = at::from_blob(own_scores.data(), {n});
    const double product = product_cost(q.size(1), n),
                 row = 0.3 * static_cast<double>(n);  // nanoseconds
    // No score is above 1 / alpha. Where none is too far below, one exponential of what it lacks of that
    // serves its row's sum, its column's and the gradient, and takes its place.
    const bool once = inverse_alpha <= kMostForOnce;
    for_each_shared_block(n, product + row, {s, rows_done, own_done}, [&](int64_t begin, int64_t end) {
      multiply_rows(q, d.t(), begin, end, s);
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
    if (owners)
      own.emplace(rows_of(unit.rows, 2 * n, texts.size(0)), *owners, q, d, inverse_alpha, row_lse,
                  column_lse);
    double total = 0;
    for (int64_t i = 0; i < n; ++i) {
      const auto at = static_cast<size_t>(i);
      total += (static_cast<double>(row_lse[at]) + static_cast<double>(column_lse[at])) / 2 -
               static_cast<double>(own_scores[at]);
    }

    // The gradient by S takes its place; by Q̂ and D̂ it is a product of it with the other's rows.
    // By the texts: of the mean, which is what is asked for but where batches are added up.
    const auto by_texts = at::empty_like(gradient);
    const float per_pair = inverse_alpha / static_cast<float>(n);
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
      multiply_rows(s, d, begin, end, q_gradient);
      if (whole) through_length(unit, gradient, per_pair, begin, end, by_texts);
    });
    if (shared) {
      multiply_into(q_gradient, s, d);
      multiply_into(d_gradient, s.t(), q);
    } else {
      for_each_block(n, product, [&](int64_t begin, int64_t end) {
        multiply_rows(s.t(), q, begin, end, d_gradient);
        if (whole) through_length(unit, gradient, per_pair, n + begin, n + end, by_texts);
      });
    }
    // Σ of scores, each by its gradient: of a row of S, q̂ᵢ by its gradient.
    double by_scores = alpha.requires_grad() ? static_cast<double>(inverse_alpha) *
                                                   (q * q_gradient).sum(at::kDouble).item<double>()
                                             : 0;
    if (own)
      by_scores += own->add_gradients(row_lse, column_lse, q_gradient, d_gradient,
                                      rows_of(gradient, 2 * n, texts.size(0)));
    if (!whole)
      for_each_block(texts.size(0), norm_cost(q.size(1)), [&](int64_t begin, int64_t end) {
        through_length(unit, gradient, per_pair, begin, end, by_texts);
      });
    context->save_for_backward({by_texts});
    context->saved_data["pairs"] = n;
    context->saved_data["by_alpha"] = -by_scores * static_cast<double>(inverse_alpha);
    return scalar_like(total, texts);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto factor = gradients[0].item<float>();
    const auto pairs = static_cast<float>(context->saved_data["pairs"].toInt());
    const auto by_texts = context->get_saved_variables()[0];
    return {
        factor == 1 / pairs ? by_texts : by_texts.mul(factor * pairs),
        scalar_like(static_cast<double>(factor) * context->saved_data["by_alpha"].toDouble(), gradients[0]),
        at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

int64_t count_pairs(const at::Tensor& texts, const at::Tensor& owners) {
  return (texts.size(0) - (owners.defined() ? owners.numel() : 0)) / 2;
}

void check(const at::Tensor& texts, const at::Tensor& alpha, const at::Tensor& groups,
           const at::Tensor& owners) {
  TORCH_CHECK(!owners.defined() || (owners.dim() == 1 && owners.scalar_type() == at::kLong),
              "nt_xent: owners must be int64, one a hard negative");
  TORCH_CHECK(texts.dim() == 2 && texts.scalar_type() == at::kFloat,
              "nt_xent: texts must be a float32 matrix");
  const int64_t pairs = count_pairs(texts, owners), negatives = owners.defined() ? owners.numel() : 0;
  TORCH_CHECK(pairs > 0 && 2 * pairs + negatives == texts.size(0),
              "nt_xent: there must be as many queries as documents, and an owner for each other text");
  TORCH_CHECK(alpha.dim() == 0, "nt_xent: alpha must be a scalar");
  TORCH_CHECK(!groups.defined() || (groups.dim() == 1 && groups.size(0) == pairs &&
                                    groups.scalar_type() == at::kLong && groups.is_contiguous()),
              "nt_xent: groups must be int64, one a pair");
}

LossSum with_weight(const at::Tensor& total, int64_t batch) {
  return {total, scalar_like(static_cast<double>(batch), total)};
}

}  // namespace

LossSum nt_xent(const at::Tensor& texts, const at::Tensor& alpha, const at::Tensor& groups,
                const at::Tensor& owners) {
  if (!own_kernels_for(texts)) return nt_xent_plain(texts, alpha, groups, owners);
  check(texts, alpha, groups, owners);
  const auto given = [](const at::Tensor& tensor) {
    return tensor.defined() && tensor.numel() > 0 ? std::optional(tensor) : std::nullopt;
  };
  const int64_t pairs = count_pairs(texts, owners);
  return with_weight(NtXentFunction::apply(texts, alpha, given(groups), given(owners), pairs), pairs);
}

LossSum nt_xent_plain(const at::Tensor& texts, const at::Tensor& alpha, const at::Tensor& groups,
                      const at::Tensor& owners) {
  check(texts, alpha, groups, owners);
  constexpr double kMasked = -std::numeric_limits<double>::infinity();
  const int64_t pairs = count_pairs(texts, owners);
  const auto unit = normalised_rows(texts);
  const auto q = rows_of(unit, 0, pairs), d = rows_of(unit, pairs, 2 * pairs);
  auto s = at::mm(q, d.t()) / alpha;
  if (groups.defined()) {
    const auto pair = at::arange(s.size(0), groups.options());
    const auto others = pair.unsqueeze(1).ne(pair.unsqueeze(0));
    s = s.masked_fill(groups.unsqueeze(1).eq(groups.unsqueeze(0)).bitwise_and(others), kMasked);
  }
  auto from_queries = s, from_documents = s.t();
  if (owners.defined()) {
    const auto n = rows_of(unit, 2 * pairs, texts.size(0));
    const auto owned = owners.unsqueeze(0).eq(at::arange(s.size(0), owners.options()).unsqueeze(1));
    const auto go_on = [&](at::Tensor& scores, const at::Tensor& side) {
      const auto own = (side.index_select(0, owners) * n).sum(1) / alpha;
      scores = at::cat({scores, at::where(owned, own.unsqueeze(0), at::full({}, kMasked, s.options()))}, 1);
    };
    go_on(from_queries, q);
    go_on(from_documents, d);
  }
  const auto losses =
      at::log_softmax(from_queries, 1).diagonal() + at::log_softmax(from_documents, 1).diagonal();
  return with_weight(losses.sum().mul(-0.5), pairs);
}

}  // namespace semblance
