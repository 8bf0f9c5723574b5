#include "data/text_pairs.h"

#include <algorithm>
#include <numeric>

#include "data/batch.h"
#include "data/random.h"
#include "data/tensors.h"

namespace semblance {
namespace {

// Pair `index` of all pairs of n texts: (0, 1), (0, 2), …, (1, 2), …
std::pair<int64_t, int64_t> unrank_pair(int64_t index, int64_t n) {
  int64_t first = 0;
  while (index >= n - 1 - first) index -= n - 1 - first++;
  return {first, first + 1 + index};
}

int64_t find_root(Bulk<int64_t>& parents, int64_t row) {
  while (parents[static_cast<size_t>(row)] != row) {
    auto& parent = parents[static_cast<size_t>(row)];
    parent = parents[static_cast<size_t>(parent)];
    row = parent;
  }
  return row;
}

}  // namespace

namespace {

int64_t count_all_pairs(int64_t texts, PairChoice choice) {
  if (texts < 2) return 0;
  return choice == PairChoice::FirstTwo        ? 1
         : choice == PairChoice::FirstWithRest ? texts - 1
                                               : texts * (texts - 1) / 2;
}

}  // namespace

int64_t count_pairs(int64_t texts, const PairOptions& options) {
  const int64_t all = count_all_pairs(texts, options.choice);
  return options.max_per_row > 0 ? std::min(all, options.max_per_row) : all;
}

void append_pairs(int32_t first, int32_t end, int32_t group, const PairOptions& options, uint64_t key,
                  Bulk<TextPair>& pairs) {
  const int64_t n = end - first;
  const int64_t count = count_all_pairs(n, options.choice);
  const auto add = [&](int64_t index) {
    const auto [a, b] =
        options.choice == PairChoice::AllPairs ? unrank_pair(index, n) : std::pair{int64_t{0}, index + 1};
    pairs.push_back({first + static_cast<int32_t>(a), first + static_cast<int32_t>(b), group});
  };
  if (options.max_per_row == 0 || count <= options.max_per_row) {
    for (int64_t i = 0; i < count; ++i) add(i);
    return;
  }
  // R. Floyd's sample: each set of so many is as likely as every other.
  std::vector<int64_t> chosen;
  RandomStream random(key);
  for (int64_t last = count - options.max_per_row; last < count; ++last) {
    const auto drawn = static_cast<int64_t>(random.below(static_cast<uint64_t>(last) + 1));
    const auto place = std::ranges::lower_bound(chosen, drawn);
    if (place != chosen.end() && *place == drawn)
      chosen.push_back(last);  // larger than all before
    else
      chosen.insert(place, drawn);
  }
  for (const int64_t index : chosen) add(index);
}

Bulk<int64_t> group_rows(std::span<const int64_t> starts, std::span<const int64_t> text_groups) {
  Bulk<int64_t> parents(starts.size() - 1);
  std::iota(parents.begin(), parents.end(), 0);
  const auto most = text_groups.empty() ? 0 : std::ranges::max(text_groups) + 1;
  Bulk<int64_t> row_of(static_cast<size_t>(most), -1);  // the first row that has a text
  for (size_t row = 0; row + 1 < starts.size(); ++row)
    for (int64_t text = starts[row]; text < starts[row + 1]; ++text) {
      auto& known = row_of[static_cast<size_t>(text_groups[static_cast<size_t>(text)])];
      if (known < 0) {
        known = static_cast<int64_t>(row);
        continue;
      }
      const int64_t a = find_root(parents, known), b = find_root(parents, static_cast<int64_t>(row));
      parents[static_cast<size_t>(std::max(a, b))] = std::min(a, b);
    }
  for (size_t row = 0; row < parents.size(); ++row)
    parents[row] = find_root(parents, static_cast<int64_t>(row));
  return parents;
}

PairBatch PairBatch::to(c10::Device device) const {
  return {to_device(ids, device), to_device(offsets, device), to_device(groups, device),
          to_device(owners, device), to_device(scores, device)};
}

PairBatch PairDataset::batch(std::span<const int64_t> pairs, uint64_t) const {
  const size_t n = pairs.size();
  std::vector<int64_t> texts(2 * n);
  std::vector<int32_t> groups(n);
  for (size_t i = 0; i < n; ++i) {
    const TextPair pair = pairs_.get(static_cast<size_t>(pairs[i]));
    texts[i] = pair.first;
    texts[n + i] = pair.second;
    groups[i] = pair.group;
  }
  PairBatch batch;
  if (extra_.negatives.size() > 0) {
    std::vector<int64_t> owners;
    const auto negatives = extra_.negatives.near(std::vector<int64_t>(groups.begin(), groups.end()));
    for (size_t i = 0; i < n; ++i)
      for (const int32_t text : negatives[i]) {
        texts.push_back(text);
        owners.push_back(static_cast<int64_t>(i));
      }
    batch.owners = empty_tensor({static_cast<int64_t>(owners.size())}, at::kLong);
    std::ranges::copy(owners, batch.owners.data_ptr<int64_t>());
  }
  if (!extra_.scores.empty()) {
    batch.scores = empty_tensor({static_cast<int64_t>(n)});
    for (size_t i = 0; i < n; ++i)
      batch.scores.data_ptr<float>()[i] = extra_.scores.get(static_cast<size_t>(groups[i]));
  }
  const auto near = texts_.near(texts);
  auto collated = collate(near.all, near.numbers, {});
  batch.ids = std::move(collated.ids);
  batch.offsets = std::move(collated.offsets);
  auto sorted = groups;
  std::ranges::sort(sorted);
  if (std::ranges::adjacent_find(sorted) != sorted.end()) {
    batch.groups = empty_tensor({static_cast<int64_t>(n)}, at::kLong);
    std::ranges::copy(groups, batch.groups.data_ptr<int64_t>());
  }
  return batch;
}

}  // namespace semblance
