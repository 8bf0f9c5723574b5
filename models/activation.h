// Element-wise activations by name.
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <string_view>
#include <utility>

namespace semblance {

enum class Activation { Relu, LeakyRelu, Tanh, Sigmoid, Gelu, GeluTanh };

/// `slope` is leaky ReLU's factor for negative inputs; the others ignore it. GeluTanh is the tanh
/// approximation of Hendrycks & Gimpel 2016.
at::Tensor activate(const at::Tensor& input, Activation activation, double slope);

}  // namespace semblance
