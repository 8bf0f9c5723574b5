// Options common to every training.
#pragma once

#include <cstdint>
#include <string>

#include "data/fields.h"
#include "training/kernels_field.h"
#include "training/optimizer_options.h"
#include "training/schedule.h"
#include "training/threads.h"

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
  KernelChoice kernels = KernelChoice::Own;
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

  void fields(FieldList& list) {
    list.add("seed", seed, {.help = "fixes every random choice", .min = 0});
    list.add("threads", threads, kThreadsField);
    list.add("device", device,
             {.help = "where the model runs; auto: a GPU if there is one", .hint = "auto|cpu|cuda|cuda:N"});
    list.add("kernels", kernels, kKernelsField);
    list.add("epochs", epochs,
             {.help = "passes over the training data", .min = 1, .max = 1e6, .search = {.factor = 2}});
    list.add("batch-size", batch_size,
             {.help = "examples in a batch", .min = 1, .max = 1e7, .search = {.factor = 2}});
    list.add("accumulate", accumulate,
             {.help = "batches whose gradients are added up for one step", .min = 1, .max = 1e6});
    list.add("lr", learning_rate, {.help = "learning rate", .min = 0, .max = 1e6, .search = {.factor = 6}});
    list.add("optimizer", optimizer,
             {.help = "lazy-adam and rowwise-adagrad update only the embedding rows of the batch; "
                      "dense-adam is LibTorch's own"});
    list.add("momentum", momentum, {.help = "of sgd", .min = 0, .max = 1});
    list.add("weight-decay", weight_decay,
             {.help = "decoupled for adamw and lazy-adam, part of the gradient for the others",
              .min = 0,
              .max = 1e6});
    list.add("schedule", schedule, {.help = "learning rate after the warm-up"});
    list.add("warmup", warmup, {.help = "steps over which the learning rate rises from zero", .min = 0});
    list.add("decay-epochs", decay_epochs, {.help = "epochs between the drops of --schedule step", .min = 1});
    list.add("decay", decay, {.help = "factor of each drop of --schedule step", .min = 0, .max = 1});
    list.add("clip-norm", clip_norm, {.help = "largest 2-norm of the gradient; 0: no limit", .min = 0});
    list.add("patience", patience,
             {.help = "stop after so many epochs without a better --metric; 0: never", .min = 0});
    list.add(
        "metric", metric,
        {.help = "metric that chooses the best checkpoint; by default the task's main one", .hint = "NAME"});
    list.add("checkpoint-every", checkpoint_every,
             {.help = "steps, epochs or minutes between checkpoints", .hint = "500steps|1epoch|10min"});
    list.add("checkpoint-content", checkpoint_content, {.help = "weights alone cannot be resumed"});
    list.add("keep-last", keep_last, {.help = "checkpoints to keep besides the best", .min = 1});
    list.add("log-every", log_every, {.help = "steps between two reports of the loss", .min = 1});
    list.add("tensorboard", tensorboard, {.help = "write TensorBoard events"});
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
