#include "models/window_kernels.h"

#include <algorithm>
#include <cmath>

#include "models/kernel_math.h"
#include "models/kernels.h"

namespace semblance::kernels {
namespace {

#define SEMBLANCE_INLINE [[gnu::always_inline]] inline
#define SEMBLANCE_UNROLL _Pragma("GCC unroll 8")

using Floats [[gnu::vector_size(32), gnu::may_alias]] = float;
constexpr int64_t kLanes = sizeof(Floats) / sizeof(float);
static_assert(kLanes == kRowFloats);

// Outputs whose sums stay in registers.
constexpr int64_t kMostOutputs = 6;

SEMBLANCE_INLINE float total(const Floats& x) {
  return ((x[0] + x[4]) + (x[2] + x[6])) + ((x[1] + x[5]) + (x[3] + x[7]));
}

// The sum of −log p over numbers p in (0, 1], a logarithm for many of them.
class LogSum {
 public:
  SEMBLANCE_INLINE void add(float p) {
    constexpr float kLeast = 1e-12f;  // keeps the product in range; a NaN stays one
    product_ *= static_cast<double>(p < kLeast ? kLeast : p);
    if (product_ < 1e-280) flush();
  }
  double total() {
    flush();
    return total_;
  }

 private:
  void flush() {
    total_ -= std::log(product_);
    product_ = 1;
  }
  double product_ = 1, total_ = 0;
};

// The step by `kOutputs` of the outputs.
template <int64_t kOutputs>
SEMBLANCE_INLINE void skip_gram(const Window& window, int64_t first_output, float rate, LogSum& loss) {
  const int64_t blocks = window.floats / kLanes, count = window.context_count;
  float* const* const contexts = window.contexts;
  float* const* const outputs = window.outputs + first_output;
  float gradient[kMostContexts][kOutputs];
  // Two contexts at a time: each of an output's blocks is loaded once for both.
  for (int64_t c = 0; c < count; c += 2) {
    const auto* first = reinterpret_cast<const Floats*>(contexts[c]);
    const auto* second = reinterpret_cast<const Floats*>(contexts[std::min(c + 1, count - 1)]);
    Floats a[kOutputs] = {}, b[kOutputs] = {};
    for (int64_t k = 0; k < blocks; ++k) {
      SEMBLANCE_UNROLL
      for (int64_t o = 0; o < kOutputs; ++o) {
        const Floats output = reinterpret_cast<const Floats*>(outputs[o])[k];
        a[o] += first[k] * output;
        b[o] += second[k] * output;
      }
    }
    SEMBLANCE_UNROLL
    for (int64_t o = 0; o < kOutputs; ++o) {
      gradient[c][o] = total(a[o]);
      if (c + 1 < count) gradient[c + 1][o] = total(b[o]);
    }
  }
  float* all = &gradient[0][0];
  for (int64_t i = 0; i < count * kOutputs; ++i) all[i] = sigmoid_of(all[i]);
  for (int64_t c = 0; c < count; ++c)
    for (int64_t o = 0; o < kOutputs; ++o) {
      const bool centre = first_output + o == 0;
      const float p = gradient[c][o];
      loss.add(centre ? p : 1 - p);
      gradient[c][o] = ((centre ? 1.0f : 0.0f) - p) * rate;
    }
  for (int64_t k = 0; k < blocks; ++k) {
    Floats output[kOutputs], change[kOutputs] = {};
    SEMBLANCE_UNROLL
    for (int64_t o = 0; o < kOutputs; ++o) output[o] = reinterpret_cast<const Floats*>(outputs[o])[k];
    for (int64_t c = 0; c < count; ++c) {
      auto* context = reinterpret_cast<Floats*>(contexts[c]) + k;
      const Floats before = *context;
      Floats after = before;
      SEMBLANCE_UNROLL
      for (int64_t o = 0; o < kOutputs; ++o) {
        after += gradient[c][o] * output[o];
        change[o] += gradient[c][o] * before;
      }
      *context = after;
    }
    SEMBLANCE_UNROLL
    for (int64_t o = 0; o < kOutputs; ++o) reinterpret_cast<Floats*>(outputs[o])[k] = output[o] + change[o];
  }
}

}  // namespace

SEMBLANCE_MULTIVERSION
double skip_gram_step(const Window& window, float rate) {
  LogSum loss;
  for (int64_t first = 0; first < window.output_count; first += kMostOutputs) {
    switch (window.output_count - first) {
      case 1:
        skip_gram<1>(window, first, rate, loss);
        break;
      case 2:
        skip_gram<2>(window, first, rate, loss);
        break;
      case 3:
        skip_gram<3>(window, first, rate, loss);
        break;
      case 4:
        skip_gram<4>(window, first, rate, loss);
        break;
      case 5:
        skip_gram<5>(window, first, rate, loss);
        break;
      default:
        skip_gram<kMostOutputs>(window, first, rate, loss);
        break;
    }
  }
  return loss.total();
}

SEMBLANCE_MULTIVERSION
double cbow_step(const Window& window, float rate) {
  const int64_t blocks = window.floats / kLanes;
  auto* const mean = reinterpret_cast<Floats*>(window.scratch);
  auto* const change = mean + blocks;
  const float share = 1.0f / static_cast<float>(window.context_count);
  for (int64_t k = 0; k < blocks; ++k) {
    Floats sum = {};
    for (int64_t c = 0; c < window.context_count; ++c)
      sum += reinterpret_cast<const Floats*>(window.contexts[c])[k];
    mean[k] = sum * share;
    change[k] = Floats{};
  }
  LogSum loss;
  for (int64_t o = 0; o < window.output_count; ++o) {
    auto* output = reinterpret_cast<Floats*>(window.outputs[o]);
    Floats even = {}, odd = {};
    int64_t k = 0;
    for (; k + 2 <= blocks; k += 2) {
      even += mean[k] * output[k];
      odd += mean[k + 1] * output[k + 1];
    }
    if (k < blocks) even += mean[k] * output[k];
    const float p = sigmoid_of(total(even + odd));
    loss.add(o == 0 ? p : 1 - p);
    const float gradient = ((o == 0 ? 1.0f : 0.0f) - p) * rate;
    for (k = 0; k < blocks; ++k) {
      change[k] += gradient * output[k];
      output[k] += gradient * mean[k];
    }
  }
  for (int64_t c = 0; c < window.context_count; ++c) {
    auto* context = reinterpret_cast<Floats*>(window.contexts[c]);
    for (int64_t k = 0; k < blocks; ++k) context[k] += change[k];
  }
  return loss.total();
}

}  // namespace semblance::kernels
