// The trainer on a task of its own, which shows that it knows nothing of texts.
#include "training/trainer.h"

#include <gtest/gtest.h>
#include <torch/nn/modules/linear.h>
#include <torch/types.h>

#include <fstream>

#include "data/io/line_reader.h"
#include "models/embedding_bag.h"
#include "tests/temporary_folder.h"
#include "training/callbacks/checkpoints.h"
#include "training/callbacks/early_stopping.h"
#include "training/callbacks/metrics_files.h"
#include "training/run_training.h"

namespace semblance {
namespace {

// y = 2 x₀ − x₁ from a linear layer behind dropout.
struct Points {
  torch::Tensor x, y;

  explicit Points(int64_t n) : x(torch::randn({n, 2})), y(2 * x.select(1, 0) - x.select(1, 1)) {}
  struct Batch {
    torch::Tensor x, y;
    Batch to(c10::Device) const { return *this; }
  };
  int64_t size() const { return x.size(0); }
  Batch batch(std::span<const int64_t> rows, uint64_t) const {
    const auto index = torch::tensor(std::vector<int64_t>(rows.begin(), rows.end()), torch::kInt64);
    return {x.index_select(0, index), y.index_select(0, index)};
  }
};

struct Regression {
  using Batch = Points::Batch;
  struct Measure {
    double total = 0, count = 0;
    Metrics result() const {
      Metrics metrics;
      metrics.values["mse"] = total / count;
      return metrics;
    }
  };

  torch::nn::Linear linear{2, 1};
  double dropout = 0.3;
  double poison = 0;   // added to the loss
  double worsens = 0;  // added to the measure with every validation
  double worse = 0;

  torch::nn::Module& module() { return *linear; }
  LossSum loss(const Batch& batch) {
    const auto x = torch::dropout(batch.x, dropout, linear->is_training());
    return {(linear(x).squeeze(1) - batch.y).square().sum() + poison,
            torch::tensor(static_cast<float>(batch.y.numel()))};
  }
  Measure measure(const Points& data) {
    return {.total = (worse += worsens) * static_cast<double>(data.size())};
  }
  void observe(const Batch& batch, Measure& measure) {
    EXPECT_FALSE(linear->is_training());
    EXPECT_FALSE(torch::GradMode::is_enabled());
    measure.total += (linear(batch.x).squeeze(1) - batch.y).square().sum().item<double>();
    measure.count += static_cast<double>(batch.y.numel());
  }
  std::span<const MetricInfo> metrics() const {
    static constexpr MetricInfo list[] = {{"mse", false}};
    return list;
  }
  Json model_info() const { return {}; }
  std::map<std::string, std::string> files() const { return {}; }
};

const Points& points() {
  static const Points data = [] {
    torch::manual_seed(7);
    return Points(50);
  }();
  return data;
}

struct Run {
  Regression task;
  std::unique_ptr<Trainer<Regression>> trainer;

  void fit(const Sampler& sampler, const Points* validation) {
    const auto& options = trainer->options();
    trainer->fit(SampledBatches(points(), sampler, options.batch_size, static_cast<uint64_t>(options.seed)),
                 validation);
  }
};

std::unique_ptr<Run> make_run(const TrainerOptions& options) {
  auto run = std::make_unique<Run>();
  torch::manual_seed(11);
  run->task.linear->reset_parameters();
  run->trainer = std::make_unique<Trainer<Regression>>(run->task, options, c10::Device(c10::kCPU));
  return run;
}

TrainerOptions small() {
  return {.seed = 5,
          .epochs = 3,
          .batch_size = 8,
          .learning_rate = 0.05,
          .schedule = ScheduleKind::Cosine,
          .warmup = 3,
          .patience = 0,
          .log_every = 1000};
}

// Stops a training after some steps as a signal would, keeping what a checkpoint would hold.
class CutAt : public Callback {
 public:
  explicit CutAt(int64_t step) : step_(step) {}
  void on_step(TrainerCore& trainer) override {
    if (trainer.state().step != step_) return;
    trainer.fill(saved);
    for (auto* tensors : {&saved.model, &saved.optimizer})
      for (auto& [name, tensor] : *tensors) tensor = tensor.detach().clone();
    throw std::runtime_error("cut");
  }
  inline static Checkpoint saved;

 private:
  int64_t step_;
};

TEST(Trainer, ResumedAtAnyStepEndsAsIfNeverStopped) {
  const WeightedSampler sampler(std::vector<double>(50, 1.0), 5);
  for (const int64_t accumulate : {1, 2}) {
    auto options = small();
    options.accumulate = accumulate;
    auto whole = make_run(options);
    whole->fit(sampler, &points());
    const int64_t steps = whole->trainer->state().step;
    for (int64_t cut = 1; cut < steps; ++cut) {
      auto first = make_run(options);
      first->trainer->add(std::make_unique<CutAt>(cut));
      try {
        first->fit(sampler, &points());
        continue;  // the step ended an epoch: nothing is cut there
      } catch (const std::runtime_error&) {
      }
      auto second = make_run(options);
      second->trainer->restore(CutAt::saved, "test");
      second->fit(sampler, &points());
      EXPECT_TRUE(second->task.linear->weight.equal(whole->task.linear->weight)) << "cut at step " << cut;
      EXPECT_EQ(second->trainer->state().history, whole->trainer->state().history) << "cut at step " << cut;
    }
  }
}

// The points from a file, a line each, of which no more than a batch is in memory.
struct StreamedPoints {
  using Batch = Points::Batch;
  std::filesystem::path path;
  int64_t batch_size, size = 50;

  int64_t examples() const { return size; }
  int64_t batches() const { return (size + batch_size - 1) / batch_size; }
  int64_t examples(int64_t i) const { return std::min(batch_size, size - i * batch_size); }

  struct Epoch {
    std::ifstream lines;
    int64_t batch_size, at = 0;

    Batch batch(int64_t i) {
      std::string line;
      for (; at < i * batch_size; ++at) std::getline(lines, line);  // a resumed training finds its place
      std::vector<float> values;
      for (; at < (i + 1) * batch_size && std::getline(lines, line); ++at)
        for (const auto part : split_blanks(line)) values.push_back(std::stof(std::string(part)));
      const auto rows = torch::tensor(values).view({-1, 3});
      return {rows.narrow(1, 0, 2), rows.select(1, 2)};
    }
  };
  Epoch epoch(int64_t) const { return {std::ifstream(path), batch_size}; }
};
static_assert(BatchSource<StreamedPoints>);

TEST(Trainer, TakesBatchesFromAStreamAsFromADatasetInMemory) {
  const TemporaryFolder folder;
  std::ofstream file(folder / "points");
  for (int64_t i = 0; i < points().size(); ++i)
    file << fmt::format("{} {} {}\n", points().x[i][0].item<float>(), points().x[i][1].item<float>(),
                        points().y[i].item<float>());
  file.close();
  const StreamedPoints stream{folder / "points", small().batch_size};
  auto in_memory = make_run(small()), streamed = make_run(small()), cut = make_run(small()),
       resumed = make_run(small());
  in_memory->fit(SequentialSampler(50), &points());
  streamed->trainer->fit(stream, &points());
  EXPECT_TRUE(streamed->task.linear->weight.equal(in_memory->task.linear->weight));

  cut->trainer->add(std::make_unique<CutAt>(10));  // in the middle of the second epoch
  EXPECT_THROW(cut->trainer->fit(stream, &points()), std::runtime_error);
  resumed->trainer->restore(CutAt::saved, "test");
  resumed->trainer->fit(stream, &points());
  EXPECT_TRUE(resumed->task.linear->weight.equal(in_memory->task.linear->weight));
}

// What one of several processes trains on: its part of each batch of a source that all of them know.
template <BatchSource Whole>
struct ShareOf {
  using Batch = typename Whole::Batch;
  const Whole& whole;
  int64_t rank, ranks;

  int64_t batches() const { return whole.batches(); }
  int64_t examples() const {
    int64_t sum = 0;
    for (int64_t i = 0; i < batches(); ++i) sum += examples(i);
    return sum;
  }
  int64_t first(int64_t i, int64_t of_rank) const { return whole.examples(i) * of_rank / ranks; }
  int64_t examples(int64_t i) const { return first(i, rank + 1) - first(i, rank); }

  struct Epoch {
    decltype(std::declval<const Whole&>().epoch(0)) of_whole;
    const ShareOf& share;
    Batch batch(int64_t i) {
      const auto all = of_whole.batch(i);
      return {all.x.narrow(0, share.first(i, share.rank), share.examples(i)),
              all.y.narrow(0, share.first(i, share.rank), share.examples(i))};
    }
  };
  Epoch epoch(int64_t e) const { return {whole.epoch(e), *this}; }
};

TEST(BatchSource, TheSharesOfAllProcessesAreTheWholeOrder) {
  const ShuffledSampler sampler(50, 3);
  const SampledBatches whole(points(), sampler, 8, 1);
  using Share = ShareOf<SampledBatches<Points>>;
  static_assert(BatchSource<Share>);
  const Share shares[] = {{whole, 0, 3}, {whole, 1, 3}, {whole, 2, 3}};
  EXPECT_EQ(shares[0].examples() + shares[1].examples() + shares[2].examples(), 50);
  for (const int64_t epoch : {0, 1}) {
    auto expected = whole.epoch(epoch);
    for (int64_t i = 0; i < whole.batches(); ++i) {
      std::vector<torch::Tensor> parts;
      for (const auto& share : shares) parts.push_back(share.epoch(epoch).batch(i).x);
      EXPECT_TRUE(torch::cat(parts).equal(expected.batch(i).x)) << "epoch " << epoch << ", batch " << i;
    }
  }
  auto run = make_run(small());
  run->trainer->fit(shares[1], &points());
  EXPECT_EQ(run->trainer->state().examples, 3 * shares[1].examples());
}

TEST(Trainer, AccumulatedBatchesEqualOneLargeBatch) {
  const SequentialSampler sampler(50);
  auto options = small();
  options.batch_size = 20;
  auto large = make_run(options);
  large->task.dropout = 0;
  large->fit(sampler, nullptr);
  options.batch_size = 5;
  options.accumulate = 4;
  auto parts = make_run(options);
  parts->task.dropout = 0;
  parts->fit(sampler, nullptr);
  EXPECT_EQ(parts->trainer->state().step, large->trainer->state().step);
  EXPECT_TRUE(torch::allclose(parts->task.linear->weight, large->task.linear->weight, 1e-5, 1e-6));
}

TEST(Trainer, LearnsAndRestoresTrainingMode) {
  auto options = small();
  options.epochs = 60;
  options.schedule = ScheduleKind::Constant;
  auto run = make_run(options);
  run->task.dropout = 0;
  run->fit(ShuffledSampler(50, 1), &points());
  EXPECT_TRUE(run->task.linear->is_training());
  EXPECT_TRUE(torch::allclose(run->task.linear->weight, torch::tensor({{2.0f, -1.0f}}), 1e-2, 1e-2));
  EXPECT_EQ(run->trainer->outcome(), "completed");
}

TEST(Trainer, EpochLossIsTheMeanOverExamples) {
  auto options = small();
  options.learning_rate = 0;
  options.epochs = 1;
  options.warmup = 0;
  auto run = make_run(options);
  run->task.dropout = 0;
  run->fit(SequentialSampler(50), &points());
  const auto& record = run->trainer->state().history[0];
  const double mse = record["valid"]["mse"].get<double>();
  EXPECT_NEAR(record["train_loss"].get<double>(), mse, 1e-5 * mse);  // sums of float32 in other batches
}

TEST(Trainer, StopsOnALossThatIsNotFinite) {
  auto run = make_run(small());
  run->task.poison = std::numeric_limits<double>::quiet_NaN();
  try {
    run->fit(SequentialSampler(50), nullptr);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::Diverged);
  }
}

TEST(Trainer, EarlyStoppingWaitsForItsPatience) {
  auto options = small();
  options.epochs = 50;
  options.learning_rate = 0;  // never better after the first epoch
  auto run = make_run(options);
  run->trainer->add(std::make_unique<EarlyStopping>(3));
  run->fit(SequentialSampler(50), &points());
  EXPECT_EQ(run->trainer->outcome(), "early-stopping");
  EXPECT_EQ(run->trainer->state().epoch, 4);
}

TEST(Checkpoints, KeepTheLastFewAndAlwaysTheBest) {
  const TemporaryFolder folder;
  auto options = small();
  options.epochs = 8;
  options.keep_last = 2;
  auto run = make_run(options);
  run->task.worsens = 100;  // epoch 1 stays the best
  run->trainer->add(std::make_unique<Checkpoints>(RunFolder(folder.path()), Checkpoint{}, options));
  run->fit(SequentialSampler(50), &points());
  const RunFolder written(folder.path());
  EXPECT_EQ(written.checkpoints(),
            (std::vector<std::string>{"step-00000007", "step-00000049", "step-00000056"}));
  EXPECT_EQ(written.best(), "step-00000007");
  EXPECT_EQ(written.last(), "step-00000056");
}

TEST(Checkpoints, OfEqualEpochsTheLatestIsBest) {
  const TemporaryFolder folder;
  auto options = small();
  options.learning_rate = 0;
  auto run = make_run(options);
  run->trainer->add(std::make_unique<Checkpoints>(RunFolder(folder.path()), Checkpoint{}, options));
  run->fit(SequentialSampler(50), &points());
  EXPECT_EQ(RunFolder(folder.path()).best(), "step-00000021");
  std::string told;
  run_training_detail::tell_of_equal_epochs(*run->trainer, [&](const std::string& line) { told = line; });
  EXPECT_NE(told.find("in 3 epochs, and never better; the latest"), std::string::npos) << told;
}

TEST(Checkpoints, AreWrittenEverySoManySteps) {
  const TemporaryFolder folder;
  auto options = small();
  options.epochs = 1;
  options.checkpoint_every = "3steps";
  options.keep_last = 10;
  auto run = make_run(options);
  run->trainer->add(std::make_unique<Checkpoints>(RunFolder(folder.path()), Checkpoint{}, options));
  run->fit(SequentialSampler(50), nullptr);
  EXPECT_EQ(RunFolder(folder.path()).checkpoints(),
            (std::vector<std::string>{"step-00000003", "step-00000006", "step-00000007"}));
}

// Goes on from a checkpoint of `run`, `spy` looking at the run when training begins.
template <class Spy>
void resume(RunFolder run, const std::string& name, const TrainerOptions& options, const Points* validation,
            Spy spy) {
  struct Look : Callback {
    explicit Look(Spy look) : look_(std::move(look)) {}
    void on_begin(TrainerCore&) override { look_(); }
    Spy look_;
  };
  auto resumed = make_run(options);
  resumed->trainer->add(std::make_unique<Checkpoints>(run, Checkpoint{}, options));
  resumed->trainer->add(std::make_unique<Look>(spy));
  const auto point = read_checkpoint(run.checkpoint_path(name), CheckpointPart::TrainingState);
  resumed->trainer->restore(point, name);
  resumed->fit(SequentialSampler(50), validation);
}

TEST(Checkpoints, NamesFollowFromWhatIsThereWhenAFinishedTrainingIsResumed) {
  const TemporaryFolder folder;
  RunFolder run(folder.path());
  auto options = small();
  options.keep_last = 5;
  auto first = make_run(options);
  first->trainer->add(std::make_unique<Checkpoints>(run, Checkpoint{}, options));
  first->fit(SequentialSampler(50), &points());
  ASSERT_EQ(run.checkpoints(), (std::vector<std::string>{"step-00000007", "step-00000014", "step-00000021"}));
  ASSERT_EQ(run.best(), "step-00000021");
  run.set_last("step-00000007");
  run.set_best("step-00000007");
  options.keep_last = 2;
  resume(run, "step-00000021", options, &points(), [] {});
  EXPECT_EQ(run.last(), "step-00000021");
  EXPECT_EQ(run.best(), "step-00000021");
  EXPECT_EQ(run.checkpoints(), (std::vector<std::string>{"step-00000014", "step-00000021"}));
  std::filesystem::remove_all(run.checkpoint_path("step-00000021"));
  resume(run, "step-00000014", options, &points(), [&] {
    EXPECT_EQ(run.last(), "step-00000014");
    EXPECT_EQ(run.best(), "step-00000014") << "the best of those that are there";
  });
  EXPECT_EQ(run.best(), "step-00000021");
}

TEST(Checkpoints, LaterDamagedOnesCountForNothing) {
  const TemporaryFolder folder;
  const RunFolder run(folder.path());
  auto options = small();
  options.epochs = 1;
  options.checkpoint_every = "3steps";
  options.keep_last = 10;
  auto first = make_run(options);
  first->trainer->add(std::make_unique<Checkpoints>(run, Checkpoint{}, options));
  first->fit(SequentialSampler(50), nullptr);
  for (const char* name : {"step-00000006", "step-00000007"})
    std::filesystem::remove(run.checkpoint_path(name) / "manifest.json");
  options.keep_last = 1;
  resume(run, "step-00000003", options, nullptr,
         [&] { EXPECT_EQ(run.checkpoints().front(), "step-00000003") << "the one that is whole"; });
  EXPECT_EQ(run.checkpoints(), std::vector<std::string>{"step-00000007"});
}

TEST(Checkpoints, AreWrittenEverySoManyMinutes) {
  const TemporaryFolder folder;
  auto options = small();  // seven steps an epoch, of which the last is none of the hook's
  options.epochs = 2;
  options.checkpoint_every = "3min";
  options.keep_last = 10;
  auto run = make_run(options);
  std::chrono::steady_clock::time_point now;
  struct Minute : Callback {
    explicit Minute(std::chrono::steady_clock::time_point& time) : now(time) {}
    void on_step(TrainerCore&) override { now += std::chrono::minutes(1); }
    std::chrono::steady_clock::time_point& now;
  };
  run->trainer->add(std::make_unique<Minute>(now));
  run->trainer->add(
      std::make_unique<Checkpoints>(RunFolder(folder.path()), Checkpoint{}, options, [&] { return now; }));
  run->fit(SequentialSampler(50), nullptr);
  EXPECT_EQ(RunFolder(folder.path()).checkpoints(),
            (std::vector<std::string>{"step-00000003", "step-00000006", "step-00000010", "step-00000013",
                                      "step-00000014"}));
}

TEST(Interval, IsACountWithAUnit) {
  EXPECT_EQ(parse_interval("500steps", "x").unit, Interval::Unit::Steps);
  EXPECT_EQ(parse_interval("1epoch", "x").count, 1);
  EXPECT_EQ(parse_interval("10min", "x").unit, Interval::Unit::Minutes);
  EXPECT_EQ(parse_interval("90minutes", "x").count, 90);
  for (const char* wrong : {"", "10", "0steps", "-1epoch", "1.5epochs", "3 steps", "steps", "5m", "2h",
                            "99999999999999999999min"})
    EXPECT_THROW(parse_interval(wrong, "x"), Error) << wrong;
}

TEST(MetricsFiles, TableHasALineForEachEpoch) {
  const auto history =
      Json::parse(R"([{"epoch":1,"step":5,"lr":0.1,"train_loss":0.5,"valid":{"accuracy":0.75,"per_class":[]}},
                                       {"epoch":2,"step":10,"lr":0.1,"train_loss":0.25,"valid":{"accuracy":null,"per_class":[]}}])");
  EXPECT_EQ(
      history_table(history),
      "epoch\tstep\tlr\ttrain_loss\tvalid_accuracy\n1\t5\t0.1\t0.500000\t0.750000\n2\t10\t0.1\t0.250000\t\n");
}

TEST(RunTraining, TellsOfAnOptimizerThatPassesOverALargeTable) {
  const EmbeddingBag large(EmbeddingBagOptions{.rows = 1 << 20, .dim = 16}),
      small(EmbeddingBagOptions{.rows = 100, .dim = 16});
  const auto notices = [](const EmbeddingBag& bag, OptimizerKind optimizer) {
    std::string told;
    TrainerOptions options;
    options.optimizer = optimizer;
    run_training_detail::check(*bag, options, /*has_validation=*/false,
                               [&](const std::string& line) { told += line; });
    return told;
  };
  EXPECT_NE(notices(large, OptimizerKind::DenseAdam).find("1048576 x 16 numbers of weight"),
            std::string::npos);
  EXPECT_EQ(notices(large, OptimizerKind::LazyAdam), "");
  EXPECT_EQ(notices(small, OptimizerKind::DenseAdam), "");
}

}  // namespace
}  // namespace semblance
