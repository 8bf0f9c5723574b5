// How the processes of a training find each other, over LibTorch's c10d, and what they agree on.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "models/ranks.h"
#include "training/rank_place.h"

namespace semblance {

/// Waits for the others. Throws Error(Device) where they do not come, or are of another version, and
/// Error(Usage) where this build has no c10d.
std::unique_ptr<Ranks> join_ranks(const RankPlace& place);
/// Whether this build can.
bool can_join_ranks();

/// Rank 0's text, on all of them.
std::string text_of_first(const std::string& own);
/// Throws Error(Data) on all ranks unless they have the same `text`; `what` names it.
void expect_same(std::string_view text, std::string_view what);
/// The largest of the numbers that the ranks give; waits for all of them.
int64_t largest_of_all(int64_t own);
/// A signal that any of the processes has noted, which all have noted then; 0: none.
int signal_of_all();

/// While it exists this process trains with the others that were started with it, if there are any. `version`
/// is to be the same in all. Throws as join_ranks and expect_same do.
class JoinedRanks {
 public:
  explicit JoinedRanks(const std::string& version);
  ~JoinedRanks();
  JoinedRanks(const JoinedRanks&) = delete;
  JoinedRanks& operator=(const JoinedRanks&) = delete;

 private:
  std::unique_ptr<Ranks> ranks_;
};

}  // namespace semblance
