// The trainer on a task of its own, which shows that it knows nothing of texts.
#include "training/trainer.h"

#include <gtest/gtest.h>
#include <torch/nn/modules/linear.h>
#include <torch/types.h>

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
  double poison = 0;  // added to the loss

  torch::nn::Module& module() { return *linear; }
  LossSum loss(const Batch& batch) {
    const auto x = torch::dropout(batch.x, dropout, linear->is_training());
    return {(linear(x).squeeze(1) - batch.y).square().sum() + poison,
            torch::tensor(static_cast<float>(batch.y.numel()))};
  }
  Measure measure(const Points&) { return {}; }
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

struct Run {
  Regression task;
  std::unique_ptr<Trainer<Regression>> trainer;
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

const Points& points() {
  static const Points data = [] {
    torch::manual_seed(7);
    return Points(50);
  }();
  return data;
}

TEST(Trainer, ResumedAtAnyStepEndsAsIfNeverStopped) {
  const WeightedSampler sampler(std::vector<double>(50, 1.0), 5);
  for (const int64_t accumulate : {1, 2}) {
    auto options = small();
    options.accumulate = accumulate;
    auto whole = make_run(options);
    whole->trainer->fit(points(), sampler, &points());
    const int64_t steps = whole->trainer->state().step;
    for (int64_t cut = 1; cut < steps; ++cut) {
      auto first = make_run(options);
      first->trainer->add(std::make_unique<CutAt>(cut));
      try {
        first->trainer->fit(points(), sampler, &points());
        continue;  // the step ended an epoch: nothing is cut there
      } catch (const std::runtime_error&) {
      }
      auto second = make_run(options);
      second->trainer->restore(CutAt::saved, "test");
      second->trainer->fit(points(), sampler, &points());
      EXPECT_TRUE(second->task.linear->weight.equal(whole->task.linear->weight)) << "cut at step " << cut;
      EXPECT_EQ(second->trainer->state().history, whole->trainer->state().history) << "cut at step " << cut;
    }
  }
}

TEST(Trainer, AccumulatedBatchesEqualOneLargeBatch) {
  const SequentialSampler sampler(50);
  auto options = small();
  options.batch_size = 20;
  auto large = make_run(options);
  large->task.dropout = 0;
  large->trainer->fit(points(), sampler, static_cast<const Points*>(nullptr));
  options.batch_size = 5;
  options.accumulate = 4;
  auto parts = make_run(options);
  parts->task.dropout = 0;
  parts->trainer->fit(points(), sampler, static_cast<const Points*>(nullptr));
  EXPECT_EQ(parts->trainer->state().step, large->trainer->state().step);
  EXPECT_TRUE(torch::allclose(parts->task.linear->weight, large->task.linear->weight, 1e-5, 1e-6));
}

TEST(Trainer, LearnsAndRestoresTrainingMode) {
  auto options = small();
  options.epochs = 60;
  options.schedule = ScheduleKind::Constant;
  auto run = make_run(options);
  run->task.dropout = 0;
  run->trainer->fit(points(), ShuffledSampler(50, 1), &points());
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
  run->trainer->fit(points(), SequentialSampler(50), &points());
  const auto& record = run->trainer->state().history[0];
  EXPECT_NEAR(record["train_loss"].get<double>(), record["valid"]["mse"].get<double>(), 1e-6);
}

TEST(Trainer, StopsOnALossThatIsNotFinite) {
  auto run = make_run(small());
  run->task.poison = std::numeric_limits<double>::quiet_NaN();
  try {
    run->trainer->fit(points(), SequentialSampler(50), static_cast<const Points*>(nullptr));
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
  run->trainer->fit(points(), SequentialSampler(50), &points());
  EXPECT_EQ(run->trainer->outcome(), "early-stopping");
  EXPECT_EQ(run->trainer->state().epoch, 4);
}

TEST(Checkpoints, KeepTheLastFewAndAlwaysTheBest) {
  const TemporaryFolder folder;
  auto options = small();
  options.epochs = 8;
  options.keep_last = 2;
  options.learning_rate = 0;  // epoch 1 stays the best
  auto run = make_run(options);
  run->trainer->add(std::make_unique<Checkpoints>(RunFolder(folder.path()), Checkpoint{}, options));
  run->trainer->fit(points(), SequentialSampler(50), &points());
  const RunFolder written(folder.path());
  EXPECT_EQ(written.checkpoints(),
            (std::vector<std::string>{"step-00000007", "step-00000049", "step-00000056"}));
  EXPECT_EQ(written.best(), "step-00000007");
  EXPECT_EQ(written.last(), "step-00000056");
}

TEST(Checkpoints, AreWrittenEverySoManySteps) {
  const TemporaryFolder folder;
  auto options = small();
  options.epochs = 1;
  options.checkpoint_every = "3steps";
  options.keep_last = 10;
  auto run = make_run(options);
  run->trainer->add(std::make_unique<Checkpoints>(RunFolder(folder.path()), Checkpoint{}, options));
  run->trainer->fit(points(), SequentialSampler(50), static_cast<const Points*>(nullptr));
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
  resumed->trainer->fit(points(), SequentialSampler(50), validation);
}

TEST(Checkpoints, NamesFollowFromWhatIsThereWhenAFinishedTrainingIsResumed) {
  const TemporaryFolder folder;
  RunFolder run(folder.path());
  auto options = small();
  options.keep_last = 5;
  auto first = make_run(options);
  first->trainer->add(std::make_unique<Checkpoints>(run, Checkpoint{}, options));
  first->trainer->fit(points(), SequentialSampler(50), &points());
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
  first->trainer->fit(points(), SequentialSampler(50), static_cast<const Points*>(nullptr));
  for (const char* name : {"step-00000006", "step-00000007"})
    std::filesystem::remove(run.checkpoint_path(name) / "manifest.json");
  options.keep_last = 1;
  resume(run, "step-00000003", options, nullptr,
         [&] { EXPECT_EQ(run.checkpoints().front(), "step-00000003") << "the one that is whole"; });
  EXPECT_EQ(run.checkpoints(), std::vector<std::string>{"step-00000007"});
}

TEST(Interval, IsACountWithAUnit) {
  EXPECT_EQ(parse_interval("500steps", "x").unit, Interval::Unit::Steps);
  EXPECT_EQ(parse_interval("1epoch", "x").count, 1);
  EXPECT_EQ(parse_interval("10min", "x").unit, Interval::Unit::Minutes);
  for (const char* wrong : {"", "10", "0steps", "-1epoch", "1.5epochs", "3 steps", "steps"})
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
    run_training_detail::notice_dense_steps(*bag, optimizer, [&](const std::string& line) { told += line; });
    return told;
  };
  EXPECT_NE(notices(large, OptimizerKind::DenseAdam).find("1048576 x 16 numbers of weight"),
            std::string::npos);
  EXPECT_EQ(notices(large, OptimizerKind::LazyAdam), "");
  EXPECT_EQ(notices(small, OptimizerKind::DenseAdam), "");
}

}  // namespace
}  // namespace semblance
