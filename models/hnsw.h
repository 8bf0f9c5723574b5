// An approximate search: a graph in which neighbours of neighbours lead to the nearest rows (Malkov and
// Yashunin, Efficient and robust approximate nearest neighbor search using HNSW graphs, 2016), by hnswlib.
#pragma once

#include <memory>
#include <vector>

#include "models/nearest.h"

namespace semblance {

/// Never changes once made, so any number of threads may use it at once.
class NearestGraph {
 public:
  /// Over all `rows` but those of length 0; they are to outlive it, and are copied for it: 4 · dim bytes each
  /// and some 150 for the graph. Built in the order of the rows by the calling thread alone, since with
  /// several no two graphs are the same. `breadth`: how many rows are kept in sight on the way to the
  /// nearest.
  NearestGraph(const Scan& rows, int64_t breadth);
  ~NearestGraph();

  /// As nearest(), over threads, but some of the neighbours may be missing.
  std::vector<std::vector<Neighbor>> nearest(const at::Tensor& queries, const NearestOptions& options) const;

  /// Which share of the k nearest other rows of a row it finds, over `sample` rows evenly taken.
  double recall(int64_t k, int64_t sample) const;

 private:
  struct Graph;
  const Scan& rows_;
  std::unique_ptr<Graph> graph_;
};

}  // namespace semblance
