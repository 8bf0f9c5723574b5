#include "training/serving/unknown_words.h"

#include <fmt/format.h>

namespace semblance {
namespace {

constexpr int64_t kMostNamed = 20;

}  // namespace

void UnknownWords::add(std::string_view word) {
  if (count_++ < kMostNamed) named_ += fmt::format("{}{:.40}", named_.empty() ? "" : ", ", word);
}

void UnknownWords::report(const std::string& what, const Notice& notice) const {
  if (count_ > 0)
    notice(
        fmt::format("warning: {} word(s) {}: {}{}", count_, what, named_, count_ > kMostNamed ? ", …" : ""));
}

}  // namespace semblance
