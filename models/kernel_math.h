// Functions of one number for inner loops, in a form that compilers turn into vector code.
#pragma once

#include <bit>
#include <cstdint>

namespace semblance::kernels {

/// e^x for x ≤ 88, within 2 units in the last place: e^x = 2^k e^r with |r| ≤ ½ log 2, and e^r by its Taylor
/// polynomial in minimax form (Cephes' expf). 0 below −87.
[[gnu::always_inline]] inline float exp_of(float x) {
  constexpr float kLeast = -87.0f, kRound = 12582912.0f;  // 1.5 · 2^23: adding it rounds to a whole number
  const float clamped = x > kLeast ? x : kLeast;
  const float k = (clamped * 1.44269504f + kRound) - kRound;
  const float r = clamped - k * 0.693359375f + k * 2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  const float value = p * std::bit_cast<float>((static_cast<int32_t>(k) + 127) << 23);
  return x > kLeast ? value : 0.0f;
}

/// 1 / (1 + e^-x). A NaN or an infinity gives NaN.
[[gnu::always_inline]] inline float sigmoid_of(float x) {
  return 1.0f / (1.0f + exp_of(x < -80.0f ? 80.0f : -x)) + 0.0f * x;
}

}  // namespace semblance::kernels
