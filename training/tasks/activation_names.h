// The activations' names on the command line and in job files.
#pragma once

#include <array>
#include <utility>

#include "data/fields.h"
#include "models/activation.h"

namespace semblance {

template <>
struct EnumNames<Activation> {
  static constexpr std::array names{
      std::pair{Activation::Relu, "relu"}, std::pair{Activation::LeakyRelu, "leaky-relu"},
      std::pair{Activation::Tanh, "tanh"}, std::pair{Activation::Sigmoid, "sigmoid"},
      std::pair{Activation::Gelu, "gelu"}, std::pair{Activation::GeluTanh, "gelu-tanh"}};
};

}  // namespace semblance
