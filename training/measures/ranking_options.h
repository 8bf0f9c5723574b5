// How rankings are measured: what option structs need of it.
#pragma once

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "data/readers/row_file_options.h"

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

/// Of options that tell how many candidates a row without any of its own gets.
inline constexpr Field kNegativesField{
    .help = "most candidates of a row that has none of its own: other rows' second texts, drawn at random",
    .min = 1,
    .max = 1e6};

/// Rows that are ranked by themselves, outside a training.
struct RankedRowOptions {
  RowFileOptions file;
  int64_t negatives = 1000;

  void fields(FieldList& list) {
    file.fields(list);
    list.add("negatives", negatives, kNegativesField);
  }
};

}  // namespace semblance
