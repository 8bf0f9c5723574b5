// LibTorch's functions that make tensors, behind a header that costs nothing: ATen/Functions.h takes every
// file that includes it ten seconds to compile. Tensors' own methods come with ATen/core/Tensor.h.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace semblance {

/// Not initialised, on the CPU.
at::Tensor empty_tensor(at::IntArrayRef sizes, c10::ScalarType type = at::kFloat);
at::Tensor zero_tensor(at::IntArrayRef sizes, c10::ScalarType type = at::kFloat,
                       c10::Device device = at::kCPU);
/// Copies of values: float32 [n].
at::Tensor float_tensor(std::span<const double> values);
at::Tensor float_tensor(std::span<const float> values);
/// Over memory that is to outlive it and is not to be written to: float32.
at::Tensor tensor_over(std::span<const float> values, at::IntArrayRef sizes);
/// Over memory of `owner`, which it keeps; the same otherwise.
at::Tensor tensor_over(const void* values, at::IntArrayRef sizes, c10::ScalarType type,
                       std::shared_ptr<const void> owner);
/// Along dimension `dim`.
at::Tensor concatenate(at::TensorList tensors, int64_t dim = 0);
/// Along a new first dimension.
at::Tensor stack(at::TensorList tensors);
/// Lengths of the rows of a matrix: [rows].
at::Tensor row_norms(const at::Tensor& matrix);
/// Of a symmetric matrix: that of its largest eigenvalue, of length 1.
at::Tensor first_eigenvector(const at::Tensor& matrix);
/// The eigenvalues of a symmetric matrix, ascending, and its eigenvectors, in columns.
std::pair<at::Tensor, at::Tensor> eigenvectors(const at::Tensor& matrix);

/// Seeds LibTorch's generators.
void seed_generators(uint64_t seed);
/// The next number of LibTorch's generator on the CPU.
uint64_t draw_key();

}  // namespace semblance
