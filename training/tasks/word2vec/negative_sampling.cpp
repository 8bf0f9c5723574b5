#include "training/tasks/word2vec/negative_sampling.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <numeric>
#include <vector>

#include "data/tensors.h"
#include "models/parallel.h"
#include "models/ranks.h"
#include "models/window_kernels.h"

namespace semblance {
namespace {

// Negatives that a shard draws; its windows take theirs from among them, so that it copies fewer rows.
constexpr int64_t kPool = 512;
// Rows are added to a table by this many parts, side by side.
constexpr size_t kParts = 16;
constexpr double kWordCost = 500;  // nanoseconds, of training on a word
constexpr double kRowCost = 60;    // of adding up a row

std::vector<double> negative_weights(std::span<const int64_t> counts, double exponent) {
  std::vector<double> weights;
  for (const int64_t count : counts)
    weights.push_back(count > 0 ? std::pow(static_cast<double>(count), exponent) : 0.0);
  return weights;
}

// How far so many steps go towards where they would end: a step of rate r on a row that meets rows of about
// length 1 goes r σ' ≤ r / 4 of the way.
float way(float steps, float rate) {
  return 1 - std::exp(-0.25f * rate * steps);
}

// What goes from rank to rank.
template <class Values>
void append(std::vector<char>& to, const Values& values) {
  const auto bytes = std::as_bytes(std::span(values));
  to.insert(to.end(), reinterpret_cast<const char*>(bytes.data()),
            reinterpret_cast<const char*>(bytes.data()) + bytes.size());
}

template <class Values>
void take(std::span<const char>& from, Values& values) {
  const auto bytes = std::as_writable_bytes(std::span(values));
  std::memcpy(bytes.data(), from.data(), bytes.size());
  from = from.subspan(bytes.size());
}

}  // namespace

// Copies of some of a table's rows, and what becomes of them.
class NegativeSampling::LocalRows {
 public:
  void clear() {
    rows_.clear();
    steps_.clear();
  }
  size_t size() const { return rows_.size(); }
  int32_t row(size_t slot) const { return rows_[slot]; }
  /// The slot of `row`; slots of other tables are not to be looked up before `forget`.
  int32_t add(int32_t row, std::vector<int32_t>& slots) {
    auto& slot = slots[static_cast<size_t>(row)];
    if (slot < 0) {
      slot = static_cast<int32_t>(rows_.size());
      rows_.push_back(row);
      steps_.push_back(0);
    }
    return slot;
  }
  void forget(std::vector<int32_t>& slots) const {
    for (const int32_t row : rows_) slots[static_cast<size_t>(row)] = -1;
  }
  void count(int32_t slot, float steps) { steps_[static_cast<size_t>(slot)] += steps; }
  float* at(int32_t slot) { return now_.data()->values + static_cast<size_t>(slot) * floats_; }

  void copy_from(const float* table, size_t dim) {
    dim_ = dim;
    floats_ = static_cast<size_t>(kernels::padded_row(static_cast<int64_t>(dim)));
    now_.resize(rows_.size() * floats_ / kernels::kRowFloats);
    for (size_t slot = 0; slot < rows_.size(); ++slot) {
      float* copy = at(static_cast<int32_t>(slot));
      std::memcpy(copy, table + static_cast<size_t>(rows_[slot]) * dim, dim * sizeof(float));
      std::fill(copy + dim, copy + floats_, 0.0f);
    }
    before_ = now_;
  }

  /// Appends what the other functions of another rank's rows need.
  void pack(std::vector<char>& to) const {
    append(to, std::array{rows_.size(), dim_});
    append(to, rows_);
    append(to, steps_);
    std::vector<float> changes(dim_);
    for (size_t slot = 0; slot < rows_.size(); ++slot) {
      const float *now = now_.data()->values + slot * floats_,
                  *before = before_.data()->values + slot * floats_;
      for (size_t d = 0; d < dim_; ++d) changes[d] = now[d] - before[d];
      append(to, changes);
    }
  }
  /// Takes that from the front of `from`.
  void unpack(std::span<const char>& from) {
    std::array<size_t, 2> sizes{};
    take(from, sizes);
    dim_ = sizes[1];
    floats_ = static_cast<size_t>(kernels::padded_row(static_cast<int64_t>(dim_)));
    rows_.resize(sizes[0]);
    steps_.resize(sizes[0]);
    take(from, rows_);
    take(from, steps_);
    now_.assign(rows_.size() * floats_ / kernels::kRowFloats, Lanes{});
    before_ = now_;
    for (size_t slot = 0; slot < rows_.size(); ++slot) {
      std::span<float> changes(at(static_cast<int32_t>(slot)), dim_);
      take(from, changes);
    }
  }

  /// Sorts the slots by the part that their row belongs to.
  void sort_by_part() {
    starts_.fill(0);
    for (const int32_t row : rows_) ++starts_[static_cast<size_t>(row) % kParts + 1];
    for (size_t part = 0; part < kParts; ++part) starts_[part + 1] += starts_[part];
    auto next = starts_;
    order_.resize(rows_.size());
    for (size_t slot = 0; slot < rows_.size(); ++slot)
      order_[next[static_cast<size_t>(rows_[slot]) % kParts]++] = static_cast<int32_t>(slot);
  }
  std::span<const int32_t> slots_of(size_t part) const {
    return std::span(order_).subspan(starts_[part], starts_[part + 1] - starts_[part]);
  }

  float steps(int32_t slot) const { return steps_[static_cast<size_t>(slot)]; }
  /// Adds what has changed to the table's row.
  void add_to(float* table, int32_t slot, float factor) const {
    const float* now = now_.data()->values + static_cast<size_t>(slot) * floats_;
    const float* before = before_.data()->values + static_cast<size_t>(slot) * floats_;
    float* __restrict to = table + static_cast<size_t>(rows_[static_cast<size_t>(slot)]) * dim_;
    for (size_t d = 0; d < dim_; ++d) to[d] += factor * (now[d] - before[d]);
  }
  /// The same while other threads add to the rows and copy them: where two meet in a row, a change of one of
  /// them is lost. The one race that is meant, and ThreadSanitizer is not to find.
  __attribute__((no_sanitize("thread"))) void add_beside_others(float* table) const {
    for (size_t slot = 0; slot < rows_.size(); ++slot) {
      const float* now = now_.data()->values + slot * floats_;
      const float* before = before_.data()->values + slot * floats_;
      float* __restrict to = table + static_cast<size_t>(rows_[slot]) * dim_;
      for (size_t d = 0; d < dim_; ++d) to[d] += now[d] - before[d];
    }
  }

 private:
  struct alignas(sizeof(float) * kernels::kRowFloats) Lanes {
    float values[kernels::kRowFloats];
  };

  std::vector<int32_t> rows_;
  std::vector<float> steps_;
  std::vector<Lanes> now_, before_;  // [slots, floats_]
  size_t dim_ = 0, floats_ = 0;
  std::vector<int32_t> order_;
  std::array<size_t, kParts + 1> starts_{};
};

class NegativeSampling::Shard {
 public:
  void train(const NegativeSampling& owner, const RaggedIds& sentences, int64_t begin, int64_t end,
             uint64_t key, float rate, const at::Tensor& input, const at::Tensor& output);

  LocalRows input, output;
  Loss loss;

 private:
  void choose_rows(const NegativeSampling& owner, int64_t rows, RandomStream& random);
  // The output rows of a window: its centre's, then those of negatives.
  int64_t choose_outputs(int32_t centre, size_t negatives, RandomStream& random);

  KeptWords words_;
  std::vector<int32_t> input_slots_, output_slots_;  // of each kept word
  std::vector<int32_t> pool_;                        // output slots
  std::array<int32_t, 65> chosen_{};                 // output slots of the window
  std::vector<float> scratch_;
};

void NegativeSampling::Shard::choose_rows(const NegativeSampling& owner, int64_t rows, RandomStream& random) {
  thread_local std::vector<int32_t> input_slots, output_slots;  // by row; all −1 between uses
  if (input_slots.size() < static_cast<size_t>(rows)) {
    input_slots.resize(static_cast<size_t>(rows), -1);
    output_slots.resize(static_cast<size_t>(rows), -1);
  }
  input.clear();
  output.clear();
  input_slots_.clear();
  output_slots_.clear();
  for (const int32_t id : words_.ids) {
    input_slots_.push_back(input.add(id, input_slots));
    output_slots_.push_back(output.add(id, output_slots));
  }
  pool_.clear();
  for (int64_t i = 0; i < kPool && !words_.ids.empty(); ++i)
    pool_.push_back(output.add(static_cast<int32_t>(owner.negatives_.draw(random)), output_slots));
  input.forget(input_slots);
  output.forget(output_slots);
}

int64_t NegativeSampling::Shard::choose_outputs(int32_t centre, size_t negatives, RandomStream& random) {
  size_t count = 1;
  chosen_[0] = centre;
  auto next = static_cast<size_t>(random.below(pool_.size()));
  // A small vocabulary may not have so many different words.
  for (size_t tries = 0; count <= negatives && tries < 2 * negatives; ++tries) {
    const int32_t slot = pool_[next];
    if (++next == pool_.size()) next = 0;
    const auto end = chosen_.begin() + static_cast<std::ptrdiff_t>(count);
    if (std::find(chosen_.begin(), end, slot) == end) chosen_[count++] = slot;
  }
  return static_cast<int64_t>(count);
}

void NegativeSampling::Shard::train(const NegativeSampling& owner, const RaggedIds& sentences, int64_t begin,
                                    int64_t end, uint64_t key, float rate, const at::Tensor& input_table,
                                    const at::Tensor& output_table) {
  RandomStream random(key);
  loss = {};
  owner.windows_.keep(sentences, begin, end, random, words_);
  choose_rows(owner, input_table.size(0), random);
  const auto dim = static_cast<size_t>(input_table.size(1));
  input.copy_from(input_table.const_data_ptr<float>(), dim);
  output.copy_from(output_table.const_data_ptr<float>(), dim);

  const bool cbow = owner.options_.kind == Word2VecKind::Cbow;
  float* contexts[kernels::kMostContexts];
  float* outputs[std::tuple_size_v<decltype(chosen_)>];
  kernels::Window window{.contexts = contexts,
                         .context_count = 0,
                         .outputs = outputs,
                         .output_count = 0,
                         .floats = kernels::padded_row(static_cast<int64_t>(dim)),
                         .scratch = nullptr};
  scratch_.resize(static_cast<size_t>(2 * window.floats + kernels::kRowFloats));
  void* aligned = scratch_.data();
  size_t room = scratch_.size() * sizeof(float);
  window.scratch =
      static_cast<float*>(std::align(sizeof(float) * kernels::kRowFloats,
                                     static_cast<size_t>(2 * window.floats) * sizeof(float), aligned, room));
  for (size_t centre = 0; centre < words_.ids.size(); ++centre) {
    const auto [first, last] = owner.windows_.around(words_, centre, random);
    if (last - first < 2) continue;
    window.output_count =
        choose_outputs(output_slots_[centre], static_cast<size_t>(owner.options_.negatives), random);
    for (int64_t o = 0; o < window.output_count; ++o) outputs[o] = output.at(chosen_[static_cast<size_t>(o)]);
    window.context_count = 0;
    for (size_t i = first; i < last; ++i)
      if (i != centre) contexts[window.context_count++] = input.at(input_slots_[i]);
    const auto predictions = static_cast<float>(cbow ? 1 : window.context_count);
    const auto by_context =
        static_cast<float>(window.output_count) * predictions / static_cast<float>(window.context_count);
    for (size_t i = first; i < last; ++i)
      if (i != centre) input.count(input_slots_[i], by_context);
    for (int64_t o = 0; o < window.output_count; ++o)
      output.count(chosen_[static_cast<size_t>(o)], predictions);
    loss.total += cbow ? kernels::cbow_step(window, rate) : kernels::skip_gram_step(window, rate);
    loss.predictions += static_cast<int64_t>(predictions);
  }
}

NegativeSampling::NegativeSampling(std::span<const int64_t> counts, const WindowOptions& window,
                                   const Word2VecOptions& options)
    : options_(options),
      windows_(counts, window),
      negatives_(negative_weights(counts, options.exponent)),
      steps_(counts.size()),
      moved_(counts.size()) {}

NegativeSampling::~NegativeSampling() = default;

void NegativeSampling::exchange(std::span<const int64_t> shares) {
  const auto own = static_cast<size_t>(this_rank()), all = shares.size() - 1;
  std::vector<char> packed;
  for (int64_t s = shares[own]; s < shares[own + 1]; ++s) {
    const auto& shard = *shards_[static_cast<size_t>(s)];
    append(packed, std::span(&shard.loss, 1));
    shard.input.pack(packed);
    shard.output.pack(packed);
  }
  auto sizes = zero_tensor({static_cast<int64_t>(all)}, at::kLong);
  sizes.mutable_data_ptr<int64_t>()[own] = static_cast<int64_t>(packed.size());
  std::vector<int64_t> bounds(all + 1);
  std::iota(bounds.begin(), bounds.end(), int64_t{0});
  ranks()->gather(sizes, bounds);
  std::partial_sum(sizes.const_data_ptr<int64_t>(), sizes.const_data_ptr<int64_t>() + all,
                   bounds.begin() + 1);
  auto bytes = empty_tensor({bounds.back()}, at::kByte);
  auto* const data = static_cast<char*>(bytes.mutable_data_ptr());
  std::ranges::copy(packed, data + bounds[own]);
  ranks()->gather(bytes, bounds);
  for (size_t r = 0; r < all; ++r) {
    if (r == own) continue;
    std::span<const char> rest(data + bounds[r], data + bounds[r + 1]);
    for (int64_t s = shares[r]; s < shares[r + 1]; ++s) {
      auto& shard = *shards_[static_cast<size_t>(s)];
      std::span loss(&shard.loss, 1);
      take(rest, loss);
      shard.input.unpack(rest);
      shard.output.unpack(rest);
      shard.input.sort_by_part();
      shard.output.sort_by_part();
    }
  }
}

NegativeSampling::Loss NegativeSampling::train(const RaggedIds& sentences, uint64_t key, float rate,
                                               at::Tensor& input, at::Tensor& output) {
  const auto words = static_cast<int64_t>(sentences.values.size());
  const int64_t shards = (words + kShardWords - 1) / kShardWords;
  while (static_cast<int64_t>(shards_.size()) < shards) shards_.push_back(std::make_unique<Shard>());
  auto* const input_table = input.mutable_data_ptr<float>();
  auto* const output_table = output.mutable_data_ptr<float>();

  constexpr double kRows = 2 * kShardWords + kPool;  // that a shard may touch
  const double bytes = static_cast<double>(shards * input.size(1)) * kRows * sizeof(float);
  const bool shared = worth_sharing(kWordCost * static_cast<double>(words), bytes);
  const auto shares = shared ? share_bounds(shards, 1) : std::vector<int64_t>{0, shards};
  const auto own = static_cast<size_t>(shared ? this_rank() : 0);
  const int64_t first_shard = shares[own];
  parallel_for(shares[own + 1] - first_shard, kWordCost * kShardWords, [&](int64_t begin, int64_t end) {
    for (int64_t s = first_shard + begin; s < first_shard + end; ++s) {
      auto& shard = *shards_[static_cast<size_t>(s)];
      shard.train(*this, sentences, s * kShardWords, std::min(words, (s + 1) * kShardWords),
                  mix(key, static_cast<uint64_t>(s)), rate, input, output);
      if (!options_.hogwild) {
        shard.input.sort_by_part();
        shard.output.sort_by_part();
        continue;
      }
      shard.input.add_beside_others(input_table);
      shard.output.add_beside_others(output_table);
    }
  });

  if (shared) exchange(shares);

  // The sum of the shards' changes, damped: n shards that each move a row by a part p of the way would go
  // n p of it together, where one after another they go 1 - (1 - p)^n.
  const auto add_up = [&](LocalRows Shard::* rows, float* table) {
    size_t touched = 0;
    for (int64_t s = 0; s < shards; ++s) touched += (shards_[static_cast<size_t>(s)].get()->*rows).size();
    parallel_for(kParts, kRowCost * static_cast<double>(touched) / kParts, [&](int64_t begin, int64_t end) {
      for (auto part = static_cast<size_t>(begin); part < static_cast<size_t>(end); ++part) {
        const auto for_each = [&](auto&& visit) {
          for (int64_t s = 0; s < shards; ++s) {
            const auto& local = shards_[static_cast<size_t>(s)].get()->*rows;
            for (const int32_t slot : local.slots_of(part))
              visit(local, slot, static_cast<size_t>(local.row(static_cast<size_t>(slot))));
          }
        };
        for_each([&](const LocalRows& local, int32_t slot, size_t row) {
          steps_[row] += local.steps(slot);
          moved_[row] += way(local.steps(slot), rate);
        });
        for_each([&](const LocalRows& local, int32_t slot, size_t row) {
          if (moved_[row] > 0) local.add_to(table, slot, way(steps_[row], rate) / moved_[row]);
        });
        for_each([&](const LocalRows&, int32_t, size_t row) { steps_[row] = moved_[row] = 0; });
      }
    });
  };
  if (!options_.hogwild) {
    add_up(&Shard::input, input_table);
    add_up(&Shard::output, output_table);
  }

  Loss loss;
  for (int64_t s = 0; s < shards; ++s) {
    loss.total += shards_[static_cast<size_t>(s)]->loss.total;
    loss.predictions += shards_[static_cast<size_t>(s)]->loss.predictions;
  }
  return loss;
}

}  // namespace semblance
