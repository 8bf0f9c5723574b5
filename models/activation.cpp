#include "models/activation.h"

#include <ATen/Functions.h>

namespace semblance {

at::Tensor activate(const at::Tensor& input, Activation activation, double slope) {
  switch (activation) {
    case Activation::Relu:
      return at::relu(input);
    case Activation::LeakyRelu:
      return at::leaky_relu(input, slope);
    case Activation::Tanh:
      return at::tanh(input);
    case Activation::Sigmoid:
      return at::sigmoid(input);
    case Activation::Gelu:
      return at::gelu(input, "none");
    case Activation::GeluTanh:
      return at::gelu(input, "tanh");
  }
  TORCH_CHECK(false, "activate: unknown activation");
}

}  // namespace semblance
