// What differs between models, and all that the trainer knows of one.
#pragma once

#include <concepts>
#include <map>
#include <span>
#include <string>
#include <utility>

#include "data/batch_source.h"
#include "models/losses.h"
#include "training/metrics.h"

namespace torch::nn {
class Module;
}

namespace semblance {

/// What gradients are computed for: an optimizer does the rest.
template <class T>
concept ComputesLoss = requires(T task, const typename T::Batch& batch) {
  /// The loss of a batch, with its graph.
  { task.loss(batch) } -> std::same_as<LossSum>;
};

/// What changes its module itself, by a learning rate, and has no use for an optimizer.
template <class T>
concept UpdatesItself = requires(T task, const typename T::Batch& batch, double learning_rate) {
  /// The loss of a batch as it was before.
  { task.update(batch, learning_rate) } -> std::same_as<LossSum>;
};

template <class T>
concept Task = (ComputesLoss<T> || UpdatesItself<T>) &&
               requires(T task, const typename T::Batch& batch, c10::Device device) {
                 { task.module() } -> std::convertible_to<torch::nn::Module&>;
                 /// The metrics a training may be steered by; the first is the main one.
                 { task.metrics() } -> std::convertible_to<std::span<const MetricInfo>>;
                 /// What a checkpoint holds besides tensors.
                 { task.model_info() } -> std::same_as<Json>;
                 { task.files() } -> std::same_as<std::map<std::string, std::string>>;
                 { batch.to(device) } -> std::same_as<typename T::Batch>;
               };

/// What a task can be measured on; its batches need not be those that it is trained on.
template <class T, class D>
concept Evaluates =
    Dataset<D> && requires(T task, const D& data, const BatchOf<D>& batch, typename T::Measure& measure) {
      /// An empty collector; `observe` adds what the model makes of a batch to it.
      { task.measure(data) } -> std::same_as<typename T::Measure>;
      { task.observe(batch, measure) };
      { measure.result() } -> std::same_as<Metrics>;
    };

/// Stands for the data of a task that is trained without validation.
struct NoData {};

}  // namespace semblance
