#include "models/activation.h"

#include <torch/torch.h>

namespace semblance {

torch::Tensor activate(const torch::Tensor& input, Activation activation, double slope) {
  switch (activation) {
    case Activation::Relu:
      return torch::relu(input);
    case Activation::LeakyRelu:
      return torch::leaky_relu(input, slope);
    case Activation::Tanh:
      return torch::tanh(input);
    case Activation::Sigmoid:
      return torch::sigmoid(input);
    case Activation::Gelu:
      return torch::gelu(input, "none");
    case Activation::GeluTanh:
      return torch::gelu(input, "tanh");
  }
  TORCH_CHECK(false, "activate: unknown activation");
}

}  // namespace semblance
