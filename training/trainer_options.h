// Options common to every training.
#pragma once

#include <cstdint>
#include <string>

#include "data/fields.h"
#include "training/optimizer.h"
#include "training/schedule.h"

namespace semblance {

enum class CheckpointContent { TrainingState, Weights };

template <>
struct EnumNames<CheckpointContent> {
  static constexpr std::array names{std::pair{CheckpointContent::TrainingState, "training-state"},
                                    std::pair{CheckpointContent::Weights, "weights"}};
};

struct TrainerOptions {
  int64_t seed = 1;
  int64_t threads = 0;
  std::string device = "auto";
  int64_t epochs = 10;
  int64_t batch_size = 64;
  int64_t accumulate = 1;
  double learning_rate = 0.005;
  OptimizerKind optimizer = OptimizerKind::Adam;
  double momentum = 0;
  double weight_decay = 0;
  ScheduleKind schedule = ScheduleKind::Constant;
  int64_t warmup = 0;
  int64_t decay_epochs = 10;
  double decay = 0.1;
  double clip_norm = 0;
  int64_t patience = 0;
  std::string metric = {};
  std::string checkpoint_every = "1epoch";
  CheckpointContent checkpoint_content = CheckpointContent::TrainingState;
  int64_t keep_last = 2;
  int64_t log_every = 100;
  bool tensorboard = true;

  template <class Self, class Visit>
  static void fields(Self& self, Visit&& visit) {
    visit("seed", self.seed, Field{.help = "fixes every random choice", .min = 0});
    visit("threads", self.threads,
          Field{.help = "threads to compute with; 0: one for each CPU it may use", .min = 0, .max = 1024});
    visit("device", self.device,
          Field{.help = "where the model runs; auto: a GPU if there is one", .hint = "auto|cpu|cuda|cuda:N"});
    visit("epochs", self.epochs, Field{.help = "passes over the training data", .min = 1, .max = 1e6});
    visit("batch-size", self.batch_size, Field{.help = "examples in a batch", .min = 1, .max = 1e7});
    visit("accumulate", self.accumulate,
          Field{.help = "batches whose gradients make one step", .min = 1, .max = 1e6});
    visit("lr", self.learning_rate, Field{.help = "learning rate", .min = 0, .max = 1e6});
    visit("optimizer", self.optimizer,
          Field{.help = "lazy-adam and rowwise-adagrad update only the embedding rows of the batch; "
                        "dense-adam is LibTorch's own"});
    visit("momentum", self.momentum, Field{.help = "of sgd", .min = 0, .max = 1});
    visit("weight-decay", self.weight_decay,
          Field{.help = "decoupled for adamw and lazy-adam, part of the gradient for the others",
                .min = 0,
                .max = 1e6});
    visit("schedule", self.schedule, Field{.help = "how the learning rate goes on after the warm-up"});
    visit("warmup", self.warmup,
          Field{.help = "steps over which the learning rate rises from zero", .min = 0});
    visit("decay-epochs", self.decay_epochs,
          Field{.help = "epochs between the drops of --schedule step", .min = 1});
    visit("decay", self.decay, Field{.help = "factor of each drop of --schedule step", .min = 0, .max = 1});
    visit("clip-norm", self.clip_norm,
          Field{.help = "largest 2-norm of the gradient; 0: no limit", .min = 0});
    visit("patience", self.patience,
          Field{.help = "stop after so many epochs without a better --metric; 0: never", .min = 0});
    visit("metric", self.metric,
          Field{.help = "what the best checkpoint is chosen by; by default the task's main metric",
                .hint = "NAME"});
    visit("checkpoint-every", self.checkpoint_every,
          Field{.help = "steps, epochs or minutes between checkpoints", .hint = "500steps|1epoch|10min"});
    visit("checkpoint-content", self.checkpoint_content, Field{.help = "weights alone cannot be resumed"});
    visit("keep-last", self.keep_last, Field{.help = "checkpoints to keep besides the best", .min = 1});
    visit("log-every", self.log_every, Field{.help = "steps between two reports of the loss", .min = 1});
    visit("tensorboard", self.tensorboard, Field{.help = "write TensorBoard events"});
  }
};

/// How often something is due.
struct Interval {
  enum class Unit { Steps, Epochs, Minutes } unit = Unit::Epochs;
  int64_t count = 1;
};

/// "500steps", "1epoch", "10min". Throws Error(Usage) that names `option`.
Interval parse_interval(const std::string& text, const std::string& option);

}  // namespace semblance
