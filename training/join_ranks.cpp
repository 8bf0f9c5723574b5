#include "training/join_ranks.h"

#include <algorithm>
#include <csignal>
#include <numeric>
#include <vector>

#include "data/error.h"
#include "data/fingerprint.h"
#include "data/tensors.h"
#include "training/interrupt.h"

namespace semblance {
namespace {

// What each rank gives, on all of them: [ranks].
std::vector<int64_t> numbers_of_all(int64_t own) {
  const auto size = static_cast<size_t>(ranks()->size());
  auto numbers = zero_tensor({static_cast<int64_t>(size)}, at::kLong);
  auto* const values = numbers.mutable_data_ptr<int64_t>();
  values[this_rank()] = own;
  std::vector<int64_t> bounds(size + 1);
  std::iota(bounds.begin(), bounds.end(), int64_t{0});
  ranks()->gather(numbers, bounds);
  return {values, values + size};
}

}  // namespace

int64_t largest_of_all(int64_t own) {
  return ranks() ? std::ranges::max(numbers_of_all(own)) : own;
}

std::string text_of_first(const std::string& own) {
  if (!ranks()) return own;
  const auto size = numbers_of_all(static_cast<int64_t>(own.size()))[0];
  auto bytes = zero_tensor({size}, at::kByte);
  auto* const data = static_cast<char*>(bytes.mutable_data_ptr());
  if (this_rank() == 0) std::ranges::copy(own, data);
  std::vector<int64_t> bounds(static_cast<size_t>(ranks()->size()) + 1, size);
  bounds[0] = 0;
  if (size > 0) ranks()->gather(bytes, bounds);
  return {data, static_cast<size_t>(size)};
}

void expect_same(std::string_view text, std::string_view what) {
  if (!ranks()) return;
  Fingerprint fingerprint;
  fingerprint.add(text);
  const auto own = static_cast<int64_t>(std::stoull(fingerprint.digest().substr(0, 15), nullptr, 16));
  const auto all = numbers_of_all(own);
  for (size_t r = 0; r < all.size(); ++r)
    if (all[r] != all[0])
      throw Error(ErrorKind::Data,
                  "expected the same {} in all processes, found another in rank {} than in rank 0", what, r);
}

int signal_of_all() {
  const int own = noted_signal();
  if (!ranks()) return own;
  const auto any = static_cast<int>(largest_of_all(own));
  if (any != 0 && own == 0) std::raise(any);
  return any;
}

JoinedRanks::JoinedRanks(const std::string& version) {
  const auto place = rank_place();
  if (!place) return;
  ranks_ = join_ranks(*place);
  set_ranks(ranks_.get());
  expect_same(version, "version of the program and of LibTorch");
}

JoinedRanks::~JoinedRanks() {
  set_ranks(nullptr);
}

}  // namespace semblance
