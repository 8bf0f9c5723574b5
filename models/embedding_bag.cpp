#include "models/embedding_bag.h"

#include <torch/csrc/autograd/custom_function.h>
#include <torch/types.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <memory>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include "models/huge_pages.h"
#include "models/kernel_choice.h"
#include "models/kernels.h"
#include "models/layer_summary.h"
#include "models/parallel.h"
#include "models/ranks.h"

namespace semblance {
namespace {

constexpr double kFloatCost = 0.4;  // nanoseconds, of a row that is fetched from memory

void check_bags(const int64_t* ids, int64_t n, const int64_t* offsets, int64_t bags, int64_t rows) {
  TORCH_CHECK(offsets[0] == 0 && offsets[bags] == n, "embedding_bag: offsets must run from 0 to ", n);
  for (int64_t b = 0; b < bags; ++b)
    TORCH_CHECK(offsets[b] <= offsets[b + 1], "embedding_bag: offsets must not descend (bag ", b, ")");
  int64_t low = 0, high = -1;
  for (int64_t i = 0; i < n; ++i) {
    low = std::min(low, ids[i]);
    high = std::max(high, ids[i]);
  }
  TORCH_CHECK(low >= 0 && high < rows, "embedding_bag: ids must lie in [0, ", rows, "), found ",
              low < 0 ? low : high);
}

// Which bags each touched row occurs in: rows ascending, bags of a row in the order of the batch.
struct RowIndex {
  torch::Tensor rows;           // [touched] int64
  std::vector<int64_t> starts;  // [touched + 1]
  std::vector<int32_t> bags;    // [n]

  void drop_padding() {
    if (rows.numel() == 0 || rows.const_data_ptr<int64_t>()[0] != 0) return;
    rows = rows.narrow(0, 1, rows.numel() - 1);
    starts.erase(starts.begin());
  }
};

// Least-significant-digit radix sort of (id, bag): stable, so the order within a row is the batch's.
RowIndex index_rows(const int64_t* ids, int64_t n, const int64_t* offsets, int64_t bags, int64_t table_rows) {
  struct Entry {
    uint32_t id;
    int32_t bag;
  };
  const auto count = static_cast<size_t>(n);
  // Written before they are read.
  const auto entries = std::make_unique_for_overwrite<Entry[]>(count);
  const auto other = std::make_unique_for_overwrite<Entry[]>(count);
  const auto key_bits =
      static_cast<int>(std::bit_width(static_cast<uint64_t>(std::max<int64_t>(table_rows - 1, 1))));
  const int passes = (key_bits + 10) / 11;
  const int bits = (key_bits + passes - 1) / passes;
  const uint32_t mask = (1u << bits) - 1;
  const size_t digits = size_t{1} << bits;
  std::vector<uint32_t> places(digits);
  const auto start_pass = [&](int pass) {
    std::ranges::fill(places, 0u);
    for (size_t i = 0; i < count; ++i) ++places[static_cast<uint32_t>(ids[i]) >> pass * bits & mask];
    uint32_t place = 0;
    for (auto& p : places) place += std::exchange(p, place);
  };
  Entry *from = entries.get(), *to = other.get();
  start_pass(0);
  for (int64_t b = 0; b < bags; ++b)
    for (int64_t i = offsets[b]; i < offsets[b + 1]; ++i) {
      const auto id = static_cast<uint32_t>(ids[i]);
      from[places[id & mask]++] = {id, static_cast<int32_t>(b)};
    }
  for (int pass = 1; pass < passes; ++pass) {
    start_pass(pass);
    for (size_t i = 0; i < count; ++i) to[places[from[i].id >> pass * bits & mask]++] = from[i];
    std::swap(from, to);
  }
  RowIndex index;
  index.rows = torch::empty({n}, torch::kInt64);
  index.starts.resize(count + 1);
  index.bags.resize(count);
  auto* rows = index.rows.data_ptr<int64_t>();
  size_t touched = 0;
  for (size_t i = 0; i < count;
       ++i) {  // without a branch: which id is the last of its row is anybody's guess
    const Entry entry = from[i];
    index.bags[i] = entry.bag;
    rows[touched] = entry.id;
    index.starts[touched + 1] = static_cast<int64_t>(i) + 1;
    touched += i + 1 == count || from[i + 1].id != entry.id;
  }
  index.rows = index.rows.narrow(0, 0, static_cast<int64_t>(touched));
  index.starts.resize(touched + 1);
  return index;
}

// at::embedding_renorm_, where each row is one thread's. Rows that it has shortened are within the tolerance,
// so that looking at them once more changes nothing.
void shorten_rows(const torch::Tensor& weight, const torch::Tensor& ids, double max_norm) {
  constexpr double kTolerance = 1e-6, kEps = 1e-7;
  const torch::NoGradGuard no_gradient;
  const auto all = ids.cpu();
  std::vector<int64_t> rows(all.const_data_ptr<int64_t>(), all.const_data_ptr<int64_t>() + all.numel());
  std::ranges::sort(rows);
  rows.erase(std::ranges::unique(rows).begin(), rows.end());
  const int64_t dim = weight.size(1);
  float* table = weight.data_ptr<float>();
  parallel_for(static_cast<int64_t>(rows.size()), kFloatCost * static_cast<double>(dim),
               [&](int64_t begin, int64_t end) {
                 for (int64_t i = begin; i < end; ++i) {
                   float* row = table + rows[static_cast<size_t>(i)] * dim;
                   const double norm = std::sqrt(kernels::sum_of_squares(row, dim));
                   if (norm <= max_norm * (1 + kTolerance)) continue;
                   const auto scale = static_cast<float>(max_norm / (norm + kEps));
                   for (int64_t d = 0; d < dim; ++d) row[d] *= scale;
                 }
               });
}

// Bags for each rank with about as many ids: [ranks + 1].
std::vector<int64_t> even_shares(std::span<const int64_t> offsets) {
  const int64_t parts = ranks()->size();
  std::vector<int64_t> bounds{0};
  for (int64_t r = 1; r < parts; ++r)
    bounds.push_back(std::max(
        bounds.back(), std::ranges::lower_bound(offsets, offsets.back() * r / parts) - offsets.begin()));
  bounds.push_back(static_cast<int64_t>(offsets.size()) - 1);
  return bounds;
}

class EmbeddingBagFunction : public torch::autograd::Function<EmbeddingBagFunction> {
 public:
  static torch::Tensor forward(torch::autograd::AutogradContext* context, const torch::Tensor& weight,
                               const torch::Tensor& ids, const torch::Tensor& offsets,
                               const torch::Tensor& weights, bool mean, bool sparse, double max_norm,
                               bool scale_by_frequency, bool zero_padding) {
    TORCH_CHECK(weight.dim() == 2 && weight.is_contiguous() && weight.scalar_type() == torch::kFloat32,
                "embedding_bag: weight must be a contiguous float32 matrix");
    TORCH_CHECK(ids.dim() == 1 && ids.scalar_type() == torch::kInt64 && ids.is_contiguous() &&
                    offsets.dim() == 1 && offsets.scalar_type() == torch::kInt64 && offsets.is_contiguous() &&
                    offsets.numel() >= 1,
                "embedding_bag: ids and offsets must be int64 vectors");
    const int64_t bags = offsets.numel() - 1, dim = weight.size(1);
    check_bags(ids.data_ptr<int64_t>(), ids.numel(), offsets.data_ptr<int64_t>(), bags, weight.size(0));
    if (max_norm > 0) shorten_rows(weight, ids, max_norm);
    auto out = torch::empty({bags, dim}, weight.options());
    const auto floats = static_cast<double>(ids.numel() * dim);
    const bool shared = worth_sharing(kFloatCost * floats, static_cast<double>(out.nbytes()));
    const auto shares = shared
                            ? even_shares({offsets.const_data_ptr<int64_t>(), static_cast<size_t>(bags) + 1})
                            : std::vector<int64_t>{0, bags};
    const auto own = static_cast<size_t>(shared ? this_rank() : 0);
    const int64_t own_bags = shares[own + 1] - shares[own];
    parallel_for(own_bags, kFloatCost * floats / static_cast<double>(bags), [&](int64_t first, int64_t last) {
      const int64_t begin = shares[own] + first, end = shares[own] + last;
      if (weights.numel() > 0)
        kernels::pool_weighted_bags(weight.data_ptr<float>(), ids.data_ptr<int64_t>(),
                                    weights.data_ptr<float>(), offsets.data_ptr<int64_t>(), begin, end, dim,
                                    out.data_ptr<float>());
      else
        kernels::pool_bags(weight.data_ptr<float>(), ids.data_ptr<int64_t>(), offsets.data_ptr<int64_t>(),
                           begin, end, dim, mean, out.data_ptr<float>());
    });
    if (shared) ranks()->gather(out, shares);
    context->save_for_backward({ids, offsets, weights});
    context->saved_data["mean"] = mean;
    context->saved_data["sparse"] = sparse;
    context->saved_data["rows"] = weight.size(0);
    context->saved_data["scale_by_frequency"] = scale_by_frequency;
    context->saved_data["zero_padding"] = zero_padding;
    return out;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const auto &ids = saved[0], &offsets = saved[1], &weights = saved[2];
    const bool mean = context->saved_data["mean"].toBool(), sparse = context->saved_data["sparse"].toBool();
    const int64_t table_rows = context->saved_data["rows"].toInt();
    const bool scale_by_frequency = context->saved_data["scale_by_frequency"].toBool();
    const auto gradient = gradients[0].contiguous();
    const int64_t bags = offsets.numel() - 1, dim = gradient.size(1);
    const auto* bounds = offsets.data_ptr<int64_t>();

    const bool weighted = weights.numel() > 0, zero_padding = context->saved_data["zero_padding"].toBool();
    const auto floats = static_cast<double>(ids.numel() * dim);
    const auto all_zero = [&] {
      const auto table = torch::empty({table_rows, dim}, gradient.options());
      float* values = table.data_ptr<float>();
      parallel_for(table_rows, kFloatCost * static_cast<double>(dim), [&](int64_t begin, int64_t end) {
        std::fill(values + begin * dim, values + end * dim, 0.0f);
      });
      return table;
    };
    torch::autograd::variable_list all(9);  // one for each argument of `forward`
    if (!sparse && !scale_by_frequency && worthwhile_parts(kFloatCost * floats) <= 1) {
      all[0] = all_zero();
      float* table = all[0].data_ptr<float>();
      kernels::scatter_bags(gradient.data_ptr<float>(), ids.data_ptr<int64_t>(), bounds,
                            weighted ? weights.data_ptr<float>() : nullptr, bags, dim, mean, table);
      if (zero_padding) std::fill(table, table + dim, 0.0f);
      return all;
    }
    // Where each id counts by itself, it is a bag of its own; `bag_of` says which bag it stands in.
    std::vector<int64_t> each(weighted ? static_cast<size_t>(ids.numel()) + 1 : 0);
    std::iota(each.begin(), each.end(), int64_t{0});
    auto index = index_rows(ids.data_ptr<int64_t>(), ids.numel(), weighted ? each.data() : bounds,
                            weighted ? ids.numel() : bags, table_rows);
    if (zero_padding) index.drop_padding();
    std::vector<float> scale(static_cast<size_t>(bags), 1.0f);
    std::vector<int32_t> bag_of(weighted ? static_cast<size_t>(ids.numel()) : 0);
    for (int64_t b = 0; b < bags; ++b) {
      if (weighted)
        std::fill(bag_of.begin() + bounds[b], bag_of.begin() + bounds[b + 1], static_cast<int32_t>(b));
      else if (mean)
        scale[static_cast<size_t>(b)] =
            1.0f / static_cast<float>(std::max<int64_t>(1, bounds[b + 1] - bounds[b]));
    }
    const int64_t touched = index.rows.numel();
    auto values = torch::empty({touched, dim}, gradient.options());
    parallel_for(
        touched, kFloatCost * floats / static_cast<double>(touched), [&](int64_t begin, int64_t end) {
          if (weighted)
            kernels::gather_weighted_bags(gradient.data_ptr<float>(), bag_of.data(),
                                          weights.data_ptr<float>(), index.bags.data(), index.starts.data(),
                                          begin, end, dim, values.data_ptr<float>());
          else
            kernels::gather_bags(gradient.data_ptr<float>(), index.bags.data(), index.starts.data(),
                                 scale.data(), begin, end, dim, values.data_ptr<float>());
          for (int64_t r = begin; scale_by_frequency && r < end; ++r) {
            const auto count = static_cast<float>(index.starts[static_cast<size_t>(r) + 1] -
                                                  index.starts[static_cast<size_t>(r)]);
            for (float& value : std::span(values.data_ptr<float>() + r * dim, static_cast<size_t>(dim)))
              value /= count;
          }
        });
    if (sparse)
      all[0] =
          at::_sparse_coo_tensor_unsafe(index.rows.unsqueeze(0), values, {table_rows, dim}, values.options(),
                                        /*is_coalesced=*/true);
    else
      all[0] = all_zero().index_copy_(0, index.rows, values);
    return all;
  }
};

// The table itself, its rows' gradients divided by how often `ids` name them: LibTorch's _embedding_bag
// divides by other rows' frequencies (2.13), and sparse gradients not at all.
class ScaledByFrequency : public torch::autograd::Function<ScaledByFrequency> {
 public:
  static torch::Tensor forward(torch::autograd::AutogradContext* context, const torch::Tensor& weight,
                               const torch::Tensor& ids) {
    context->save_for_backward({ids});
    return weight.view_as(weight);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto& gradient = gradients[0];
    const auto ids = context->get_saved_variables()[0];
    const auto ones = torch::ones({ids.numel()}, ids.options().dtype(torch::kFloat32));
    const auto counts =
        torch::zeros({gradient.size(0)}, ones.options()).index_add_(0, ids, ones).clamp_min_(1);
    if (!gradient.is_sparse()) return {gradient / counts.unsqueeze(1), torch::Tensor()};
    const auto rows = gradient._indices();
    const auto values = gradient._values() / counts.index_select(0, rows.select(0, 0)).unsqueeze(1);
    return {at::_sparse_coo_tensor_unsafe(rows, values, gradient.sizes(), values.options()), torch::Tensor()};
  }
};

// In LibTorch's operators, none of which reads anything back from the device.
torch::Tensor row_weights_plain(const torch::Tensor& idf, const torch::Tensor& ids,
                                const torch::Tensor& offsets, RowWeighting weighting) {
  const int64_t bags = offsets.numel() - 1;
  const auto bag =
      at::searchsorted(offsets, at::arange(ids.numel(), ids.options()), false, /*right=*/true) - 1;
  const auto values = idf.index_select(0, ids);
  auto terms = values.to(at::kDouble);
  if (weighting == RowWeighting::TfIdf) {
    // The squares of the different words' tf-idf: of each occurrence its number of equals by its idf squared.
    const auto key = bag.mul(idf.size(0)).add(ids), sorted = std::get<0>(key.sort());
    const auto equals = at::searchsorted(sorted, key, false, /*right=*/true) - at::searchsorted(sorted, key);
    terms = terms.square().mul(equals);
  }
  auto totals = at::zeros({bags}, terms.options()).index_add(0, bag, terms);
  if (weighting == RowWeighting::TfIdf) totals = totals.sqrt();
  const auto total = totals.index_select(0, bag);
  return values.div(total.clamp_min(std::numeric_limits<double>::min())).to(at::kFloat);  // 0 where all are
}

}  // namespace

torch::Tensor embedding_bag(const torch::Tensor& weight, const torch::Tensor& ids,
                            const torch::Tensor& offsets, BagPooling pooling, bool sparse_gradient,
                            const torch::Tensor& weights, const EmbeddingOptions& options) {
  const bool mean = pooling == BagPooling::Mean && !weights.defined();
  if (own_kernels_for(weight))
    return EmbeddingBagFunction::apply(weight, ids, offsets, weights.defined() ? weights : torch::empty({0}),
                                       mean, sparse_gradient, options.max_norm, options.scale_by_frequency,
                                       options.zero_padding);
  if (options.max_norm > 0) {
    const torch::NoGradGuard no_gradient;
    auto table = weight;
    at::embedding_renorm_(table, ids, options.max_norm, /*norm_type=*/2);
  }
  // The operator itself: torch::nn::functional's wrapper reads the offsets back, which stalls the device. It
  // leaves padding out of a mean, where here it counts.
  const bool own_mean = mean && options.zero_padding;
  const auto table = options.scale_by_frequency ? ScaledByFrequency::apply(weight, ids) : weight;
  const auto pooled = std::get<0>(at::_embedding_bag(table, ids, offsets, /*scale_grad_by_freq=*/false,
                                                     /*mode=*/mean && !own_mean ? 1 : 0, sparse_gradient,
                                                     weights, /*include_last_offset=*/true,
                                                     /*padding_idx=*/options.zero_padding ? 0 : -1));
  return own_mean ? pooled / offsets.diff().clamp_min(1).unsqueeze(1) : pooled;
}

torch::Tensor packed_embedding_bag(const PackedTable& table, const torch::Tensor& ids,
                                   const torch::Tensor& offsets, BagPooling pooling,
                                   const torch::Tensor& weights) {
  const int64_t bags = offsets.numel() - 1, dim = table.values.size(1);
  const auto *of_ids = ids.const_data_ptr<int64_t>(), *bounds = offsets.const_data_ptr<int64_t>();
  check_bags(of_ids, ids.numel(), bounds, bags, table.values.size(0));
  auto out = torch::empty({bags, dim});
  const auto floats = static_cast<double>(ids.numel() * dim);
  parallel_for(bags, kFloatCost * floats / static_cast<double>(bags), [&](int64_t begin, int64_t end) {
    kernels::pool_packed_bags(table.values.const_data_ptr<int8_t>(), table.scales.const_data_ptr<float>(),
                              of_ids, weights.defined() ? weights.const_data_ptr<float>() : nullptr, bounds,
                              begin, end, dim, pooling == BagPooling::Mean && !weights.defined(),
                              out.mutable_data_ptr<float>());
  });
  return out;
}

torch::Tensor row_weights(const torch::Tensor& idf, const torch::Tensor& ids, const torch::Tensor& offsets,
                          RowWeighting weighting) {
  if (!own_kernels_for(idf)) return row_weights_plain(idf, ids, offsets, weighting);
  const auto* of_row = idf.const_data_ptr<float>();
  const auto* id = ids.const_data_ptr<int64_t>();
  const auto* bounds = offsets.const_data_ptr<int64_t>();
  const auto weights = torch::empty({ids.numel()});
  auto* out = weights.mutable_data_ptr<float>();
  const int64_t bags = offsets.numel() - 1;
  parallel_for(bags, 20 * static_cast<double>(ids.numel()) / static_cast<double>(std::max<int64_t>(bags, 1)),
               [&](int64_t first, int64_t last) {
                 std::vector<int64_t> sorted;
                 for (int64_t b = first; b < last; ++b) {
                   const int64_t begin = bounds[b], end = bounds[b + 1];
                   double total = 0;
                   if (weighting == RowWeighting::IdfMean) {
                     for (int64_t i = begin; i < end; ++i) total += static_cast<double>(of_row[id[i]]);
                   } else {
                     sorted.assign(id + begin, id + end);
                     std::ranges::sort(sorted);
                     for (auto at = sorted.begin(); at != sorted.end();) {
                       const auto next = std::find_if(at, sorted.end(), [&](int64_t x) { return x != *at; });
                       const auto tf_idf = static_cast<double>(next - at) * static_cast<double>(of_row[*at]);
                       total += tf_idf * tf_idf;
                       at = next;
                     }
                     total = std::sqrt(total);
                   }
                   for (int64_t i = begin; i < end; ++i)
                     out[i] =
                         total > 0 ? static_cast<float>(static_cast<double>(of_row[id[i]]) / total) : 0.0f;
                 }
               });
  return weights;
}

EmbeddingBagImpl::EmbeddingBagImpl(const EmbeddingBagOptions& bag_options) : options(bag_options) {
  reset();
}

void EmbeddingBagImpl::reset() {
  TORCH_CHECK(options.rows > 0 && options.dim > 0, "EmbeddingBag: rows and dim must be positive");
  torch::NoGradGuard no_gradient;
  if (options.packed.defined()) {
    weight = register_buffer("weight", options.packed.values);
    scales = register_buffer("weight_scales", options.packed.scales);
  } else {
    weight = register_parameter("weight", empty_table({options.rows, options.dim}));
    weight.normal_(0, options.init_std);
    if (options.embedding.zero_padding) weight[0].zero_();
  }
  if (options.weighting != RowWeighting::None)
    idf = register_buffer("idf", options.idf.defined() ? options.idf.clone() : torch::ones({options.rows}));
}

torch::Tensor EmbeddingBagImpl::forward(const torch::Tensor& ids, const torch::Tensor& offsets) {
  const auto weights = idf.defined() ? row_weights(idf, ids, offsets, options.weighting) : torch::Tensor();
  if (scales.defined()) return packed_embedding_bag({weight, scales}, ids, offsets, options.pooling, weights);
  return embedding_bag(weight, ids, offsets, options.pooling, options.sparse_gradient, weights,
                       options.embedding);
}

torch::Tensor EmbeddingBagImpl::rows(int64_t first, int64_t count) const {
  return scales.defined() ? unpack_rows({weight, scales}, first, count) : weight.narrow(0, first, count);
}

std::vector<LayerSummary> EmbeddingBagImpl::summary() const {
  const auto pooled = [&] {
    switch (options.weighting) {
      case RowWeighting::IdfMean:
        return "idf mean";
      case RowWeighting::TfIdf:
        return "tf-idf";
      case RowWeighting::None:
        break;
    }
    return options.pooling == BagPooling::Mean ? "mean" : "sum";
  };
  return {{std::string("embedding, ") + pooled(), batch_shape({options.dim}), weight.numel(),
           weight.requires_grad()}};
}

std::shared_ptr<Network> make_embedding_bag(const EmbeddingBagOptions& options) {
  return std::make_shared<EmbeddingBagImpl>(options);
}

torch::Tensor EmbeddingBagImpl::look_up(const torch::Tensor& ids) {
  const auto each = torch::arange(ids.numel() + 1, torch::dtype(torch::kInt64).device(ids.device()));
  if (scales.defined()) return packed_embedding_bag({weight, scales}, ids, each, BagPooling::Sum);
  return embedding_bag(weight, ids, each, BagPooling::Sum, options.sparse_gradient, /*weights=*/{},
                       options.embedding);
}

}  // namespace semblance
