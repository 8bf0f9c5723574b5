// Random numbers from a counter: a value depends on its key alone, so nothing needs to be saved to go on.
#pragma once

#include <cstdint>

namespace semblance {

/// Mixes two numbers to one that looks random (the finaliser of SplitMix64, Steele et al. 2014).
constexpr uint64_t mix(uint64_t key, uint64_t value) {
  uint64_t z = key + 0x9E3779B97F4A7C15u * (value + 1);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

/// A stream of random numbers named by its key.
class RandomStream {
 public:
  explicit constexpr RandomStream(uint64_t key) : key_(mix(key, 0x5eed)) {}

  constexpr uint64_t next() { return mix(key_, counter_++); }
  /// Uniform in [0, 1).
  constexpr double uniform() { return static_cast<double>(next() >> 11) * 0x1p-53; }
  /// Uniform in [0, bound), without bias worth mentioning (2^-64 relative; Lemire's multiplication).
  constexpr uint64_t below(uint64_t bound) {
    __extension__ using Wide = unsigned __int128;
    return static_cast<uint64_t>((static_cast<Wide>(next()) * bound) >> 64);
  }

 private:
  uint64_t key_;
  uint64_t counter_ = 0;
};

}  // namespace semblance
