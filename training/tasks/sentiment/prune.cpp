#include "training/tasks/sentiment/prune.h"

#include <c10/core/GradMode.h>

#include <algorithm>
#include <functional>
#include <numeric>
#include <vector>

#include "data/tensors.h"
#include "training/tasks/sentiment/task.h"

namespace semblance {
namespace {

constexpr const char *kTable = "embedding.weight", *kIdf = "embedding.idf";

// What each n-gram's row changes, float [n-grams].
at::Tensor weights_of(const Checkpoint& checkpoint, ClassifierNetwork& network, const SentimentJob& job,
                      int64_t first, const at::Tensor& counts) {
  const bool linear = job.model.kind == ClassifierKind::Linear || job.model.kind == ClassifierKind::Mean;
  const int64_t count = counts.size(0);
  auto lengths = row_norms(linear ? network.row_logits(first, count) : network.rows(first, count)).cpu();
  for (const auto& [name, tensor] : checkpoint.model)
    if (name == kIdf) lengths = lengths.mul(tensor.cpu().narrow(0, first, count));
  return lengths.square().mul(counts).contiguous();
}

// The `count` largest, ascending by number; of equal ones the first.
std::vector<int32_t> largest(const at::Tensor& weights, int64_t count) {
  const auto* weight = weights.const_data_ptr<float>();
  std::vector<int32_t> order(static_cast<size_t>(weights.numel()));
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, std::greater(), [&](int32_t row) { return weight[row]; });
  order.resize(static_cast<size_t>(count));
  std::ranges::sort(order);
  return order;
}

// Rows `first` and after: those that are kept, then the mean of the others by `counts`.
at::Tensor prune_rows(const at::Tensor& rows, int64_t first, const at::Tensor& counts,
                      const std::vector<int32_t>& kept) {
  const auto ngrams = rows.narrow(0, first, counts.size(0));
  const auto numbers = empty_tensor({static_cast<int64_t>(kept.size())}, at::kLong);
  std::ranges::copy(kept, numbers.mutable_data_ptr<int64_t>());
  // Those that never occur have nothing to say.
  auto others = counts.to(at::kDouble).index_fill(0, numbers, 0);
  others = others.div(others.sum().clamp_min(1));
  const auto shared = others.unsqueeze(0).matmul(ngrams.to(at::kDouble).view({counts.size(0), -1}));
  return concatenate({rows.narrow(0, 0, first), ngrams.index_select(0, numbers),
                      rows.dim() == 1 ? shared.view({1}).to(at::kFloat) : shared.to(at::kFloat)});
}

}  // namespace

Checkpoint prune_ngrams(const Checkpoint& checkpoint, SentimentTask& task, const SentimentJob& job,
                        std::span<const float> counts, int64_t kept) {
  const c10::NoGradGuard no_gradient;
  auto features = task.setup().features;
  const int64_t first = features.vocabulary().size();
  const auto of_rows = float_tensor(counts);
  const auto own = largest(weights_of(checkpoint, task.network(), job, first, of_rows), kept);
  features.share_ngram_rows(own);
  Checkpoint pruned = checkpoint;
  for (auto& [name, tensor] : pruned.model)
    if (name == kTable || name == kIdf) tensor = prune_rows(tensor.cpu(), first, of_rows, own);
  features.save(pruned.files);
  // The file of rows is read where the job says that not all buckets have one.
  if (job.ngrams.min_count == 0) pruned.config["ngrams"]["min-ngram-count"] = 1;
  return pruned;
}

}  // namespace semblance
