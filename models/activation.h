// Element-wise activations by name.
#pragma once

#include <torch/types.h>

#include <array>
#include <string_view>
#include <utility>

namespace semblance {

enum class Activation { Relu, LeakyRelu, Tanh, Sigmoid, Gelu, GeluTanh };

/// `slope` is leaky ReLU's factor for negative inputs; the others ignore it. GeluTanh is the tanh approximation of
/// Hendrycks & Gimpel 2016.
torch::Tensor activate(const torch::Tensor& input, Activation activation, double slope);

}  // namespace semblance
