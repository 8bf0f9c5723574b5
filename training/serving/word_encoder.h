// What gives vectors to words that a table of word vectors lacks.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace semblance {

class WordEncoder {
 public:
  virtual ~WordEncoder() = default;
  virtual int64_t dim() const = 0;
  /// Writes the vector of `word`, well-formed UTF-8, to `out`, [dim]; false, with zeros written, if the word
  /// has nothing that the encoder knows. May be called from several threads at once.
  virtual bool encode(std::string_view word, std::span<float> out) const = 0;
};

}  // namespace semblance
