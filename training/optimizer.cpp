#include "training/optimizer.h"

// The operators by themselves: ATen/Functions.h would cost ten seconds.
#include <ATen/ops/_fused_adagrad_ops.h>
#include <ATen/ops/_fused_adam_ops.h>
#include <ATen/ops/_fused_adamw_ops.h>
#include <ATen/ops/_fused_sgd_ops.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "data/error.h"
#include "data/tensors.h"
#include "models/blocks.h"
#include "models/huge_pages.h"
#include "models/kernel_choice.h"
#include "models/parallel.h"
#include "models/reference_adam.h"
#include "training/row_kernels.h"

namespace semblance {
namespace {

at::Tensor zeros_like_each(const at::Tensor& parameter) {
  if (!parameter.is_cpu() || parameter.scalar_type() != at::kFloat)
    return parameter.new_zeros(parameter.sizes());
  return empty_table(parameter.sizes()).zero_();
}

std::vector<at::Tensor> zeros_like_all(const NamedTensors& parameters) {
  std::vector<at::Tensor> zeros;
  for (const auto& [name, parameter] : parameters) zeros.push_back(zeros_like_each(parameter));
  return zeros;
}

void append_state(NamedTensors& all, const std::string& kind, const NamedTensors& parameters,
                  const std::vector<at::Tensor>& tensors) {
  for (size_t i = 0; i < tensors.size(); ++i) all.emplace_back(kind + "." + parameters[i].first, tensors[i]);
}

constexpr double kEntryCost = 1;  // nanoseconds, of a step of one entry and its states

// `gradient` with each row once. Autograd forgets that ours are so already, and finding out costs far less
// than sorting.
at::Tensor coalesced(at::Tensor gradient) {
  if (gradient.is_coalesced()) return gradient;
  const auto rows = gradient._indices();
  if (own_kernels_for(rows) && rows.is_contiguous()) {
    const auto* row = rows.data_ptr<int64_t>();
    if (std::adjacent_find(row, row + rows.numel(), std::greater_equal<>()) == row + rows.numel())
      return gradient._coalesced_(true);
  }
  return gradient.coalesce();
}

// The parameters that have a dense gradient, as LibTorch's fused operators take them: list k holds the k-th
// of parameters, gradients and states, `states` having as many entries as there are parameters, or none.
using DenseLists = std::vector<std::vector<at::Tensor>>;

DenseLists dense_lists(const NamedTensors& parameters,
                       const std::vector<const std::vector<at::Tensor>*>& states) {
  DenseLists lists(2 + states.size());
  for (size_t i = 0; i < parameters.size(); ++i) {
    const auto& gradient = parameters[i].second.grad();
    if (!gradient.defined() || gradient.is_sparse()) continue;
    lists[0].push_back(parameters[i].second);
    lists[1].push_back(gradient.contiguous());
    for (size_t k = 0; k < states.size(); ++k)
      if (!states[k]->empty()) lists[2 + k].push_back((*states[k])[i]);
  }
  return lists;
}

// Calls step(lists) for all of `lists`, or for slices of its tensors on several threads where they are large.
// The operators go entry by entry, so that slices of whole SIMD registers change no bit.
template <class Step>
void step_in_slices(const DenseLists& lists, Step&& step) {
  constexpr int64_t kSlice = int64_t{1} << 16;
  int64_t entries = 0;
  for (const auto& tensor : lists[0]) entries += own_kernels_for(tensor) ? tensor.numel() : 0;
  if (lists[0].empty()) return;
  if (entries <= kSlice || compute_threads() == 1) return step(lists);
  struct Slice {
    size_t tensor;
    int64_t begin, size;
  };
  std::vector<Slice> slices;
  for (size_t i = 0; i < lists[0].size(); ++i)
    for (int64_t begin = 0, size = lists[0][i].numel(); begin < size; begin += kSlice)
      slices.push_back({i, begin, std::min(kSlice, size - begin)});
  const auto count = static_cast<int64_t>(slices.size());
  parallel_for(count, kEntryCost * static_cast<double>(entries) / static_cast<double>(count),
               [&](int64_t first, int64_t last) {
                 const c10::NoGradGuard no_gradient;
                 DenseLists part(lists.size());
                 for (int64_t s = first; s < last; ++s) {
                   const auto& [tensor, begin, size] = slices[static_cast<size_t>(s)];
                   for (size_t k = 0; k < lists.size(); ++k)
                     if (!lists[k].empty())
                       part[k].push_back(lists[k][tensor].view(-1).narrow(0, begin, size));
                 }
                 step(part);
               });
}

class Sgd : public Optimizer {
 public:
  Sgd(const OptimizerOptions& options, NamedTensors parameters)
      : Optimizer(std::move(parameters)), options_(options) {
    if (options_.momentum > 0)
      for (const auto& [name, parameter] : parameters_) momentum_.push_back(zeros_like_each(parameter));
  }

  void step(double learning_rate) override {
    // The momentum buffers start at zero, so a first step needs no case of its own.
    step_in_slices(dense_lists(parameters_, {&momentum_}), [&](const DenseLists& lists) {
      at::_ops::_fused_sgd_::call(lists[0], lists[1], lists[2], options_.weight_decay, options_.momentum,
                                  learning_rate,
                                  /*dampening=*/0, /*nesterov=*/false, /*maximize=*/false,
                                  /*is_first_step=*/false, /*grad_scale=*/{}, /*found_inf=*/{});
    });
  }

  NamedTensors state() const override {
    NamedTensors all;
    append_state(all, "momentum", parameters_, momentum_);
    return all;
  }
  void set_steps(int64_t) override {}

 private:
  OptimizerOptions options_;
  std::vector<at::Tensor> momentum_;
};

class Adagrad : public Optimizer {
 public:
  Adagrad(const OptimizerOptions& options, NamedTensors parameters)
      : Optimizer(std::move(parameters)), options_(options) {
    for (const auto& [name, parameter] : parameters_) sums_.push_back(zeros_like_each(parameter));
    steps_ = parameters_[0].second.new_zeros({});
  }

  void step(double learning_rate) override {
    steps_.add_(1);
    step_in_slices(dense_lists(parameters_, {&sums_}), [&](const DenseLists& lists) {
      const std::vector<at::Tensor> steps(lists[0].size(), steps_);
      at::_ops::_fused_adagrad_::call(lists[0], lists[1], lists[2], steps, learning_rate, /*lr_decay=*/0,
                                      options_.weight_decay, options_.eps, /*maximize=*/false,
                                      /*grad_scale=*/{}, /*found_inf=*/{});
    });
  }

  NamedTensors state() const override {
    NamedTensors all;
    append_state(all, "sum", parameters_, sums_);
    return all;
  }
  void set_steps(int64_t steps) override { steps_.fill_(steps); }

 private:
  OptimizerOptions options_;
  std::vector<at::Tensor> sums_;
  at::Tensor steps_;
};

class Adam : public Optimizer {
 public:
  Adam(const OptimizerOptions& options, NamedTensors parameters)
      : Optimizer(std::move(parameters)), options_(options) {
    for (const auto& [name, parameter] : parameters_) {
      exp_avg_.push_back(zeros_like_each(parameter));
      exp_avg_sq_.push_back(zeros_like_each(parameter));
      if (options_.kind == OptimizerKind::LazyAdam && options_.weight_decay > 0 && parameter.dim() == 2)
        decayed_.emplace_back("decayed." + name,
                              parameter.new_zeros({parameter.size(0)},
                                                  parameter.options().dtype(at::kLong).requires_grad(false)));
      else
        decayed_.emplace_back();
    }
    device_steps_ = parameters_[0].second.new_zeros({});
  }

  void step(double learning_rate) override {
    ++steps_;
    device_steps_.fill_(steps_);
    step_in_slices(dense_lists(parameters_, {&exp_avg_, &exp_avg_sq_}), [&](const DenseLists& lists) {
      const std::vector<at::Tensor> steps(lists[0].size(), device_steps_);
      const auto fused = options_.kind == OptimizerKind::Adam ? &fused_adam : &fused_adamw;
      fused(lists, steps, learning_rate, options_);
    });
    for (size_t i = 0; i < parameters_.size(); ++i) {
      const auto& gradient = parameters_[i].second.grad();
      if (gradient.defined() && gradient.is_sparse()) step_rows(i, coalesced(gradient), learning_rate);
    }
  }

  NamedTensors state() const override {
    NamedTensors all;
    append_state(all, "exp_avg", parameters_, exp_avg_);
    append_state(all, "exp_avg_sq", parameters_, exp_avg_sq_);
    for (const auto& state : decayed_)
      if (state.second.defined()) all.push_back(state);
    return all;
  }
  void set_steps(int64_t steps) override { steps_ = steps; }

 private:
  static void fused_adam(const DenseLists& lists, at::TensorList steps, double learning_rate,
                         const OptimizerOptions& o) {
    at::_ops::_fused_adam_::call(lists[0], lists[1], lists[2], lists[3], {}, steps, learning_rate, o.beta1,
                                 o.beta2, o.weight_decay, o.eps, /*amsgrad=*/false, /*maximize=*/false,
                                 /*grad_scale=*/{}, /*found_inf=*/{});
  }
  static void fused_adamw(const DenseLists& lists, at::TensorList steps, double learning_rate,
                          const OptimizerOptions& o) {
    at::_ops::_fused_adamw_::call(lists[0], lists[1], lists[2], lists[3], {}, steps, learning_rate, o.beta1,
                                  o.beta2, o.weight_decay, o.eps, /*amsgrad=*/false, /*maximize=*/false,
                                  /*grad_scale=*/{}, /*found_inf=*/{});
  }

  void step_rows(size_t i, const at::Tensor& gradient, double learning_rate) {
    c10::NoGradGuard no_gradient;
    const auto t = static_cast<double>(steps_);
    const double step_size =
        learning_rate * std::sqrt(1 - std::pow(options_.beta2, t)) / (1 - std::pow(options_.beta1, t));
    const auto rows = gradient._indices().select(0, 0);
    const auto values = gradient._values().contiguous();
    auto weight = parameters_[i].second;
    // What weight decay leaves of a row: that of all the steps in which it had no gradient comes with the
    // next in which it has one.
    const double log_kept = std::log1p(-std::min(learning_rate * options_.weight_decay, 0.999));
    const auto& last = decayed_[i].second;
    if (own_kernels_for(weight)) {
      const kernels::LazyAdamStep step{static_cast<float>(options_.beta1), static_cast<float>(options_.beta2),
                                       static_cast<float>(options_.eps), static_cast<float>(step_size)};
      const int64_t dim = weight.size(1);
      const auto* row = rows.data_ptr<int64_t>();
      std::vector<float> keep(last.defined() ? static_cast<size_t>(rows.numel()) : 0);
      parallel_for(rows.numel(), kEntryCost * static_cast<double>(dim), [&](int64_t begin, int64_t end) {
        for (int64_t r = begin; last.defined() && r < end; ++r) {
          auto& decayed = last.data_ptr<int64_t>()[row[r]];
          keep[static_cast<size_t>(r)] =
              static_cast<float>(std::exp(static_cast<double>(steps_ - decayed) * log_kept));
          decayed = steps_;
        }
        kernels::lazy_adam_rows(step, row, values.data_ptr<float>(), keep.empty() ? nullptr : keep.data(),
                                begin, end, dim, weight.data_ptr<float>(), exp_avg_[i].data_ptr<float>(),
                                exp_avg_sq_[i].data_ptr<float>());
      });
      return;
    }
    at::Tensor keep;
    if (last.defined()) {
      keep = last.index_select(0, rows).neg_().add_(steps_).to(at::kDouble);
      keep = keep.mul_(log_kept).exp_().to(at::kFloat);
      last.index_fill_(0, rows, steps_);
    }
    const auto m = exp_avg_[i].index_select(0, rows).mul_(options_.beta1).add_(values, 1 - options_.beta1);
    const auto v = exp_avg_sq_[i]
                       .index_select(0, rows)
                       .mul_(options_.beta2)
                       .addcmul_(values, values, 1 - options_.beta2);
    exp_avg_[i].index_copy_(0, rows, m);
    exp_avg_sq_[i].index_copy_(0, rows, v);
    if (keep.defined()) weight.index_copy_(0, rows, weight.index_select(0, rows).mul_(keep.unsqueeze(1)));
    weight.index_add_(0, rows, m.div(v.sqrt().add_(options_.eps)), -step_size);
  }

  OptimizerOptions options_;
  std::vector<at::Tensor> exp_avg_, exp_avg_sq_;
  NamedTensors decayed_;  // for each table the step of each row's last decay
  at::Tensor device_steps_;
  int64_t steps_ = 0;
};

class RowwiseAdagrad : public Optimizer {
 public:
  RowwiseAdagrad(const OptimizerOptions& options, NamedTensors parameters)
      : Optimizer(std::move(parameters)), options_(options) {
    for (const auto& [name, parameter] : parameters_)
      sums_.push_back(parameter.dim() == 2 ? parameter.new_zeros({parameter.size(0)})
                                           : zeros_like_each(parameter));
  }

  void step(double learning_rate) override {
    c10::NoGradGuard no_gradient;
    for (size_t i = 0; i < parameters_.size(); ++i) {
      auto parameter = parameters_[i].second;
      const auto& gradient = parameter.grad();
      if (!gradient.defined()) continue;
      if (gradient.is_sparse()) {
        step_rows(parameter, coalesced(gradient), sums_[i], learning_rate);
      } else {
        const auto decayed = gradient.add(parameter, options_.weight_decay);
        const auto squared = decayed.square();
        sums_[i].add_(parameter.dim() == 2 ? squared.mean(1) : squared);
        const auto divisor = sums_[i].sqrt().add_(options_.eps);
        parameter.addcdiv_(decayed, parameter.dim() == 2 ? divisor.unsqueeze(1) : divisor, -learning_rate);
      }
    }
  }

  NamedTensors state() const override {
    NamedTensors all;
    append_state(all, "sum", parameters_, sums_);
    return all;
  }
  void set_steps(int64_t) override {}

 private:
  void step_rows(at::Tensor& weight, const at::Tensor& gradient, at::Tensor& sums,
                 double learning_rate) const {
    const auto rows = gradient._indices().select(0, 0);
    const auto values = gradient._values().contiguous();
    const int64_t dim = weight.size(1);
    if (own_kernels_for(weight)) {
      const kernels::RowwiseAdagradStep step{static_cast<float>(learning_rate),
                                             static_cast<float>(options_.weight_decay),
                                             static_cast<float>(options_.eps)};
      parallel_for(rows.numel(), kEntryCost * static_cast<double>(dim), [&](int64_t begin, int64_t end) {
        kernels::rowwise_adagrad_rows(step, rows.data_ptr<int64_t>(), values.data_ptr<float>(), begin, end,
                                      dim, weight.data_ptr<float>(), sums.data_ptr<float>());
      });
      return;
    }
    const auto decayed = values.add(weight.index_select(0, rows), options_.weight_decay);
    sums.index_add_(0, rows, decayed.square().mean(1));
    const auto divisor = sums.index_select(0, rows).sqrt_().add_(options_.eps);
    weight.index_add_(0, rows, decayed.div(divisor.unsqueeze(1)), -learning_rate);
  }

  OptimizerOptions options_;
  std::vector<at::Tensor> sums_;
};

// LibTorch's own, with its state under the names of ours.
class DenseAdam : public Optimizer {
 public:
  DenseAdam(const OptimizerOptions& options, NamedTensors parameters)
      : Optimizer(std::move(parameters)),
        exp_avg_(zeros_like_all(parameters_)),
        exp_avg_sq_(zeros_like_all(parameters_)),
        adam_(parameters_, exp_avg_, exp_avg_sq_,
              {options.beta1, options.beta2, options.eps, options.weight_decay}) {}

  void step(double learning_rate) override { adam_.step(learning_rate); }

  NamedTensors state() const override {
    NamedTensors all;
    append_state(all, "exp_avg", parameters_, exp_avg_);
    append_state(all, "exp_avg_sq", parameters_, exp_avg_sq_);
    return all;
  }
  void set_steps(int64_t steps) override { adam_.set_steps(steps); }

 private:
  std::vector<at::Tensor> exp_avg_, exp_avg_sq_;
  ReferenceAdam adam_;
};

}  // namespace

void Optimizer::zero_grad() {
  for (const auto& [name, parameter] : parameters_) parameter.mutable_grad() = at::Tensor();
}

void Optimizer::clip_gradients(double max_norm) {
  c10::NoGradGuard no_gradient;
  std::vector<at::Tensor> values;
  for (const auto& [name, parameter] : parameters_) {
    auto& gradient = parameter.mutable_grad();
    if (!gradient.defined()) continue;
    if (gradient.is_sparse()) gradient = coalesced(gradient);
    values.push_back(gradient.is_sparse() ? gradient._values() : gradient);
  }
  if (values.empty()) return;
  std::vector<at::Tensor> sums;
  for (const auto& value : values) sums.push_back(sum_of_squares(value.contiguous()));
  const auto norm = stack(sums).sum().sqrt();
  const auto factor = norm.add(1e-6).reciprocal_().mul_(max_norm).clamp_max_(1.0);
  for (auto& value : values) value.mul_(factor);
}

std::unique_ptr<Optimizer> make_optimizer(const OptimizerOptions& options, NamedTensors parameters) {
  switch (options.kind) {
    case OptimizerKind::Sgd:
      return std::make_unique<Sgd>(options, std::move(parameters));
    case OptimizerKind::Adagrad:
      return std::make_unique<Adagrad>(options, std::move(parameters));
    case OptimizerKind::Adam:
    case OptimizerKind::AdamW:
    case OptimizerKind::LazyAdam:
      return std::make_unique<Adam>(options, std::move(parameters));
    case OptimizerKind::RowwiseAdagrad:
      return std::make_unique<RowwiseAdagrad>(options, std::move(parameters));
    case OptimizerKind::DenseAdam:
      return std::make_unique<DenseAdam>(options, std::move(parameters));
  }
  throw Error(ErrorKind::Internal, "unknown optimizer");
}

}  // namespace semblance
