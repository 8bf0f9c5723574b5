#include "data/fingerprint.h"

#include <fmt/format.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <vector>

#include "data/io/byte_stream.h"

namespace semblance {

struct Fingerprint::State {
  XXH3_state_t hash;
};

Fingerprint::Fingerprint() : state_(std::make_unique<State>()) {
  XXH3_128bits_reset(&state_->hash);
}
Fingerprint::~Fingerprint() = default;

void Fingerprint::add(std::string_view bytes) {
  XXH3_128bits_update(&state_->hash, bytes.data(), bytes.size());
}

std::string Fingerprint::digest() const {
  const auto hash = XXH3_128bits_digest(&state_->hash);
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

std::string fingerprint_of_file(const std::string& path) {
  ByteStream stream(path, Compression::None);
  Fingerprint fingerprint;
  std::vector<char> buffer(1 << 20);
  while (const size_t n = stream.read(buffer)) fingerprint.add({buffer.data(), n});
  return fingerprint.digest();
}

}  // namespace semblance
