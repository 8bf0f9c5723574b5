// A name for data by its content, so that a run goes on with the data it began with or not at all.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace semblance {

/// To be used by one thread at a time.
class Fingerprint {
 public:
  Fingerprint();
  ~Fingerprint();

  void add(std::string_view bytes);
  template <class T, size_t N>
  void add(std::span<T, N> values) {
    add(std::string_view(reinterpret_cast<const char*>(values.data()), values.size_bytes()));
  }
  /// 32 hexadecimal digits (XXH3).
  std::string digest() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// That of what a file holds, as it stands. Throws as ByteStream does.
std::string fingerprint_of_file(const std::string& path);

}  // namespace semblance
