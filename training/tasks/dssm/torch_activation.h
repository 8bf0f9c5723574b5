// What torch calls the activations, in folders of sentence-transformers.
#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "models/activation.h"

namespace semblance {

/// All whose defaults are the same in torch.
inline constexpr std::array kTorchActivations = {
    std::pair{Activation::Relu, std::string_view("torch.nn.modules.activation.ReLU")},
    std::pair{Activation::LeakyRelu, std::string_view("torch.nn.modules.activation.LeakyReLU")},
    std::pair{Activation::Tanh, std::string_view("torch.nn.modules.activation.Tanh")},
    std::pair{Activation::Sigmoid, std::string_view("torch.nn.modules.activation.Sigmoid")},
    std::pair{Activation::Gelu, std::string_view("torch.nn.modules.activation.GELU")}};

/// None where torch has none with its own defaults.
inline std::optional<std::string_view> class_of_activation(Activation activation) {
  const auto found = std::ranges::find(kTorchActivations, activation, [](const auto& a) { return a.first; });
  if (found == kTorchActivations.end()) return {};
  return found->second;
}

/// Of a class's name: what stands behind its modules.
inline std::string_view last_part(std::string_view name) {
  return name.substr(name.rfind('.') + 1);
}

/// By the last part of a class's name; none for any other class.
inline std::optional<Activation> activation_of_class(std::string_view name) {
  for (const auto& [activation, full] : kTorchActivations)
    if (last_part(full) == last_part(name)) return activation;
  return {};
}

}  // namespace semblance
