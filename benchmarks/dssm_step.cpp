// Where a step of `train dssm` spends its time, and how far each part is from what the machine can do.
//
// dssm_step TRAIN.tsv [threads] [dim] [batch] [steps] [rows]: TRAIN.tsv as scripts make it or real; `rows` >
// 0 spreads the same words over a table of so many rows.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <torch/csrc/autograd/autograd.h>

#include <chrono>
#include <cstdlib>
#include <functional>

#include "data/batch_loader.h"
#include "data/batch_source.h"
#include "data/readers/text_rows.h"
#include "data/sampler.h"
#include "data/text/tokenized_texts.h"
#include "data/text_pairs.h"
#include "models/networks.h"
#include "models/nt_xent.h"
#include "models/parallel.h"
#include "training/optimizer.h"

using namespace semblance;

namespace {

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// The best rate of several runs: what the machine can do when nobody else uses it.
double best_rate(double amount, const std::function<void()>& work) {
  double best = 0;
  for (int run = 0; run < 12; ++run) {
    const double start = now();
    work();
    best = std::max(best, amount / (now() - start));
  }
  return best;
}

struct Part {
  const char* name;
  double bytes = 0, operations = 0, seconds = 0;
};

}  // namespace

int main(int argc, char** argv) {
  const auto argument = [&](int i, int64_t otherwise) -> int64_t {
    return argc > i ? int64_t{std::atoll(argv[i])} : otherwise;
  };
  if (argc < 2) {
    fmt::print("dssm_step TRAIN.tsv [threads] [dim] [batch] [steps] [rows]\n");
    return 2;
  }
  const auto threads = static_cast<int>(argument(2, 2));
  at::set_num_threads(threads);
  const int64_t dim = argument(3, 300), batch_size = argument(4, 256), steps = argument(5, 2000);

  TextRows rows;
  read_duplicate_rows(argv[1], {}, [](const auto&) {}, rows);
  auto tokens = tokenize(rows.texts, TextPipeline(TextOptions{}), threads);
  const int64_t words = tokens.words.size(), table_rows = std::max(argument(6, 0), words);
  for (auto& id : tokens.tokens.values) id = static_cast<int32_t>(id * (table_rows / words));
  Bulk<TextPair> pairs;
  for (int64_t row = 0; row < rows.size(); ++row)
    append_pairs(static_cast<int32_t>(rows.starts[static_cast<size_t>(row)]),
                 static_cast<int32_t>(rows.starts[static_cast<size_t>(row) + 1]), static_cast<int32_t>(row),
                 {}, 0, pairs);
  const PairDataset data(std::move(tokens.tokens), std::move(pairs));

  const auto a = at::rand({batch_size, dim}), b = at::rand({dim, batch_size});
  const auto product = at::empty({batch_size, batch_size});
  const double flops = best_rate(20.0 * 2 * static_cast<double>(batch_size * batch_size * dim), [&] {
    auto out = product;
    for (int i = 0; i < 20; ++i) at::mm_out(out, a, b);
  });
  const auto from = at::ones({64 << 20}), to = at::zeros({64 << 20});
  const double bandwidth = best_rate(2.0 * 4 * (64 << 20), [&] { to.copy_(from); });

  set_compute_threads(threads);
  at::manual_seed(1);
  const auto bag = make_embedding_bag({.rows = table_rows, .dim = dim, .sparse_gradient = true});
  const auto optimizer = make_optimizer({.kind = OptimizerKind::LazyAdam}, {{"weight", bag->table()}});
  const auto alpha = at::full({}, 0.05);
  Part waiting{"wait for the batch"}, gather{"gather and mean"}, loss_part{"NT-Xent, forward"},
      loss_back{"NT-Xent, backward"}, scatter{"gradient by row"}, update{"lazy Adam"};
  const ShuffledSampler shuffled(data.size(), 1);
  const SampledBatches batches(data, shuffled, batch_size, 1);
  const int64_t warm_up = std::min(steps, batches.batches()) / 11,
                steps_measured = std::min(steps, batches.batches() - warm_up);
  BatchLoader loader(batches.epoch(0), batches.batches());
  double start = 0;
  for (int64_t step = 0; step < steps_measured + warm_up; ++step) {
    if (step == warm_up) {
      for (Part* part : {&waiting, &gather, &loss_part, &loss_back, &scatter, &update}) *part = {part->name};
      start = now();
    }
    double t = now();
    const auto lap = [&](Part& part) {
      const double end = now();
      part.seconds += end - t;
      t = end;
    };
    const auto batch = loader.next();
    if (!batch) break;
    lap(waiting);
    optimizer->zero_grad();
    const auto texts = bag->forward(batch->ids, batch->offsets);
    lap(gather);
    const auto leaf = texts.detach().requires_grad_(true);
    const auto loss = nt_xent(leaf, alpha, batch->groups).mean();
    lap(loss_part);
    const auto by_texts = torch::autograd::grad({loss}, {leaf})[0];
    lap(loss_back);
    texts.backward(by_texts);
    lap(scatter);
    optimizer->step(0.01);
    lap(update);
    const double row_bytes = 4.0 * static_cast<double>(dim);
    const auto touched = static_cast<double>(bag->table().grad()._indices().size(1));
    const auto n = static_cast<double>(batch_size);
    gather.bytes += row_bytes * static_cast<double>(batch->ids.numel());
    loss_part.operations += 3 * 2 * n * n * static_cast<double>(dim);
    update.bytes += 6 * row_bytes * touched;  // weight and two moments, read and written
  }
  const double seconds = now() - start, count = static_cast<double>(steps_measured);

  fmt::print("{} pairs, {} words in a table of {} x {}; batch {}, {} thread(s)\n", data.size(), words,
             table_rows, dim, batch_size, threads);
  fmt::print("machine: {:.1f} GB/s (copy), {:.0f} GFLOP/s ({} x {} x {})\n", bandwidth / 1e9, flops / 1e9,
             batch_size, dim, batch_size);
  fmt::print("{:<20} {:>8} {:>10} {:>7}\n", "part", "ms", "bound, ms", "ratio");
  double bounds = 0;
  for (const Part* part : {&waiting, &gather, &loss_part, &loss_back, &scatter, &update}) {
    const double bound = part->bytes / bandwidth + part->operations / flops;
    bounds += bound;
    fmt::print("{:<20} {:8.3f} {:>10} {:>7}\n", part->name, 1e3 * part->seconds / count,
               bound > 0 ? fmt::format("{:.3f}", 1e3 * bound / count) : "-",
               bound > 0 ? fmt::format("{:.2f}", part->seconds / bound) : "-");
  }
  fmt::print("{:<20} {:8.3f} {:10.3f} {:7.2f}   {:.0f} pairs/s\n", "step", 1e3 * seconds / count,
             1e3 * bounds / count, seconds / bounds, static_cast<double>(batch_size) * count / seconds);
}
