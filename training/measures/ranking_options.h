// How rankings are measured: what option structs need of it.
#pragma once

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "data/readers/input_options.h"

namespace semblance {

/// How candidates as near as the duplicate count: all before it, all after it, or the mean over all orders.
enum class Ties { Pessimistic, Optimistic, Expected };

template <>
struct EnumNames<Ties> {
  static constexpr std::array names{std::pair{Ties::Pessimistic, "pessimistic"},
                                    std::pair{Ties::Optimistic, "optimistic"},
                                    std::pair{Ties::Expected, "expected"}};
};

struct RankingOptions {
  std::vector<int64_t> k = {1, 5, 10, 100, 500, 1000};
  Ties ties = Ties::Pessimistic;

  void fields(FieldList& list) {
    list.add("k", k, {.help = "the K of Hits@K and DCG@K", .min = 1, .hint = "K,K,…"});
    list.add(
        "ties", ties,
        {.help = "whether candidates as near as the duplicate stand before it, after it, or on average"});
  }
};

/// Rows that are ranked by themselves, outside a training.
struct RankedRowOptions {
  BadRows bad_rows = BadRows::Error;

  void fields(FieldList& list) {
    list.add("bad-rows", bad_rows, {.help = "stop at a row that cannot be used, or skip and count it"});
  }
};

}  // namespace semblance
