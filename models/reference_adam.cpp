#include "models/reference_adam.h"

#include <torch/optim/adam.h>

namespace semblance {

struct ReferenceAdam::State {
  std::vector<at::Tensor> parameters;
  torch::optim::Adam adam;

  torch::optim::AdamParamState& of(const at::Tensor& parameter) {
    return static_cast<torch::optim::AdamParamState&>(*adam.state().at(parameter.unsafeGetTensorImpl()));
  }
};

ReferenceAdam::ReferenceAdam(const NamedTensors& parameters, const std::vector<at::Tensor>& exp_avg,
                             const std::vector<at::Tensor>& exp_avg_sq, const Options& options) {
  std::vector<at::Tensor> tensors;
  for (const auto& [name, parameter] : parameters) tensors.push_back(parameter);
  torch::optim::Adam adam(tensors, torch::optim::AdamOptions()
                                       .betas({options.beta1, options.beta2})
                                       .eps(options.eps)
                                       .weight_decay(options.weight_decay));
  for (size_t i = 0; i < tensors.size(); ++i) {
    auto state = std::make_unique<torch::optim::AdamParamState>();
    state->step(0);
    state->exp_avg(exp_avg[i]);
    state->exp_avg_sq(exp_avg_sq[i]);
    adam.state()[tensors[i].unsafeGetTensorImpl()] = std::move(state);
  }
  state_ = std::make_unique<State>(std::move(tensors), std::move(adam));
}
ReferenceAdam::~ReferenceAdam() = default;

void ReferenceAdam::step(double learning_rate) {
  state_->adam.param_groups()[0].options().set_lr(learning_rate);
  state_->adam.step();
}

void ReferenceAdam::set_steps(int64_t steps) {
  for (const auto& parameter : state_->parameters) state_->of(parameter).step(steps);
}

}  // namespace semblance
