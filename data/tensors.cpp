#include "data/tensors.h"

#include <ATen/Context.h>
#include <ATen/Functions.h>

namespace semblance {

at::Tensor empty_tensor(at::IntArrayRef sizes, c10::ScalarType type) {
  return at::empty(sizes, type);
}

at::Tensor zero_tensor(at::IntArrayRef sizes, c10::ScalarType type, c10::Device device) {
  return at::zeros(sizes, at::dtype(type).device(device));
}

at::Tensor float_tensor(std::span<const double> values) {
  return at::tensor(at::ArrayRef<double>(values.data(), values.size()), at::kDouble).to(at::kFloat);
}

at::Tensor float_tensor(std::span<const float> values) {
  return at::tensor(at::ArrayRef<float>(values.data(), values.size()), at::kFloat);
}

at::Tensor tensor_over(std::span<const float> values, at::IntArrayRef sizes) {
  return at::from_blob(const_cast<float*>(values.data()), sizes, at::kFloat);
}

at::Tensor tensor_over(const void* values, at::IntArrayRef sizes, c10::ScalarType type,
                       std::shared_ptr<const void> owner) {
  return at::from_blob(const_cast<void*>(values), sizes, [owner = std::move(owner)](void*) {}, type);
}

at::Tensor concatenate(at::TensorList tensors, int64_t dim) {
  return at::cat(tensors, dim);
}

at::Tensor stack(at::TensorList tensors) {
  return at::stack(tensors);
}

at::Tensor row_norms(const at::Tensor& matrix) {
  return at::norm(matrix, 2, {1});
}

at::Tensor first_eigenvector(const at::Tensor& matrix) {
  return eigenvectors(matrix).second.select(1, matrix.size(1) - 1).contiguous();
}

std::pair<at::Tensor, at::Tensor> eigenvectors(const at::Tensor& matrix) {
  auto [values, vectors] = at::linalg_eigh(matrix);
  return {std::move(values), std::move(vectors)};
}

void seed_generators(uint64_t seed) {
  at::manual_seed(seed);
}

uint64_t draw_key() {
  return static_cast<uint64_t>(at::empty({}, at::kLong).random_().item<int64_t>());
}

}  // namespace semblance
