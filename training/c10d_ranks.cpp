// Ranks over LibTorch's c10d with Gloo. Its headers want Gloo's (Debian's libgloo-dev); without them, or with
// a LibTorch without distributed support, the program trains in one process.
#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>

#include "data/error.h"
#include "training/join_ranks.h"

#ifdef SEMBLANCE_WITH_C10D
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#endif

namespace semblance {

#ifdef SEMBLANCE_WITH_C10D

namespace {

using Clock = std::chrono::steady_clock;
// With ranks that do not come, and with one that is there, does not answer and has not ended either.
constexpr std::chrono::seconds kToMeet(60), kToAnswer(600);

class GlooRanks : public Ranks {
 public:
  explicit GlooRanks(const RankPlace& place) : rank_(place.rank), size_(place.size) {
    const auto meet = fmt::format("to meet at {}:{} within {} s, found that one did not come", place.address,
                                  place.port, kToMeet.count());
    reach(meet, [&] {
      c10d::TCPStoreOptions options;
      options.port = place.port;
      options.isServer = rank_ == 0 && !place.store_is_there;
      options.numWorkers = static_cast<size_t>(size_);
      options.waitWorkers = false;
      options.timeout = kToMeet;
      c10::intrusive_ptr<c10d::Store> store = c10::make_intrusive<c10d::TCPStore>(place.address, options);
      // Of this start: what an earlier one has left there is of processes that have ended.
      store = c10::make_intrusive<c10d::PrefixStore>("semblance/" + std::to_string(place.restarts), store);
      const auto gloo = c10d::ProcessGroupGloo::Options::create();
      gloo->timeout = kToMeet;
      gloo->devices.push_back(place.local_size == place.size
                                  ? c10d::ProcessGroupGloo::createDeviceForHostname("127.0.0.1")
                                  : c10d::ProcessGroupGloo::createDefaultDevice());
      group_ = c10::make_intrusive<c10d::ProcessGroupGloo>(store, rank_, size_, gloo);
    });
  }

  int rank() const override { return rank_; }
  int size() const override { return size_; }
  double seconds() const override { return seconds_; }

  void gather(const at::Tensor& rows, std::span<const int64_t> bounds) override {
    const auto begun = Clock::now();
    reach("to go on, found that one has ended", [&] {
      std::vector<c10::intrusive_ptr<c10d::Work>> under_way;
      for (int r = 0; r < size_; ++r) {
        const auto at = static_cast<size_t>(r);
        if (bounds[at + 1] == bounds[at]) continue;
        std::vector<at::Tensor> part{rows.narrow(0, bounds[at], bounds[at + 1] - bounds[at])};
        c10d::BroadcastOptions options;
        options.rootRank = r;
        options.timeout = kToAnswer;
        under_way.push_back(group_->broadcast(part, options));
      }
      for (const auto& work : under_way) work->wait();
    });
    seconds_ += std::chrono::duration<double>(Clock::now() - begun).count();
  }

 private:
  template <class Body>
  void reach(const std::string& what, Body&& body) {
    try {
      body();
    } catch (const std::exception& error) {
      // Its end would wait for what is under way with ranks that wait for this one.
      static_cast<void>(group_.release());
      std::string_view why = error.what();
      if (why.starts_with('['))
        why.remove_prefix(std::min(why.size(), why.find("] ") + 2));  // of a source file
      why = why.substr(0, std::min(why.find('\n'), why.find(". ")));
      throw Error(ErrorKind::Device, "expected the other {} process(es) {} ({})", size_ - 1, what, why);
    }
  }

  int rank_, size_;
  double seconds_ = 0;
  c10::intrusive_ptr<c10d::ProcessGroupGloo> group_;
};

}  // namespace

bool can_join_ranks() {
  return true;
}

std::unique_ptr<Ranks> join_ranks(const RankPlace& place) {
  return std::make_unique<GlooRanks>(place);
}

#else

bool can_join_ranks() {
  return false;
}

std::unique_ptr<Ranks> join_ranks(const RankPlace& place) {
  throw Error(ErrorKind::Usage,
              "{} processes: this build trains in one; build it with libgloo-dev and a LibTorch with "
              "distributed support",
              place.size);
}

#endif

}  // namespace semblance
