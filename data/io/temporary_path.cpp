#include "data/io/temporary_path.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <new>
#include <random>

#include "data/io/file_system.h"

namespace semblance {
namespace {

std::array<std::atomic<const char*>, 64> live;
static_assert(std::atomic<const char*>::is_always_lock_free, "a signal handler must not wait");

constexpr std::string_view kMark = ".semblance-", kEnd = ".tmp";
constexpr std::string_view kLetters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr size_t kDrawn = 6;
constexpr size_t kLongestName = 255;

}  // namespace

TemporaryPath::TemporaryPath(const std::filesystem::path& path)
    : path_(::strdup(path.c_str())), place_(nullptr) {
  if (path_ == nullptr) throw std::bad_alloc();
  for (auto& place : live)
    if (const char* none = nullptr; place.compare_exchange_strong(none, path_)) {
      place_ = &place;
      return;
    }
}

TemporaryPath::~TemporaryPath() {
  if (path_ == nullptr) return;
  file_system().unlink(path_);
  keep();
}

void TemporaryPath::keep() {
  // What a handler in another thread has taken is in its use until the program ends.
  if (place_ == nullptr || place_->exchange(nullptr) == path_) ::free(const_cast<char*>(path_));
  path_ = nullptr;
}

void remove_temporaries() noexcept {
  for (auto& place : live)
    if (const char* path = place.exchange(nullptr)) ::unlink(path);
}

void forget_temporaries() noexcept {
  for (auto& place : live) place = nullptr;
}

std::string temporary_name(std::string_view name) {
  std::random_device random;
  std::string temporary(name.substr(0, kLongestName - kMark.size() - kDrawn - kEnd.size()));
  temporary += kMark;
  for (size_t i = 0; i < kDrawn; ++i) temporary += kLetters[random() % kLetters.size()];
  return temporary.append(kEnd);
}

bool is_temporary_name(std::string_view temporary, std::string_view name) {
  if (!temporary.starts_with(name)) return false;
  temporary.remove_prefix(name.size());
  return temporary.size() == kMark.size() + kDrawn + kEnd.size() && temporary.starts_with(kMark) &&
         temporary.ends_with(kEnd) &&
         temporary.substr(kMark.size(), kDrawn).find_first_not_of(kLetters) == std::string_view::npos;
}

}  // namespace semblance
