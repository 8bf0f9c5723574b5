#include "models/hnsw.h"

#include <ATen/Functions.h>
// With its own vector code it reads a number behind the end of a list, to fetch what may lie there.
#define NO_MANUAL_VECTORIZATION
#include <hnswlib/hnswlib.h>

#include <algorithm>
#include <cmath>

#include "models/kernels.h"
#include "models/parallel.h"

namespace semblance {
namespace {

// hnswlib's own defaults but for the breadth of building, whose double is worth a hundredth of recall.
constexpr size_t kLinks = 16, kBuildBreadth = 200, kSeed = 100;

// 1 - the product of two vectors of length 1.
class UnitSpace : public hnswlib::SpaceInterface<float> {
 public:
  explicit UnitSpace(int64_t dim) : dim_(dim) {}
  size_t get_data_size() override { return static_cast<size_t>(dim_) * sizeof(float); }
  hnswlib::DISTFUNC<float> get_dist_func() override {
    return [](const void* a, const void* b, const void* dim) {
      constexpr int32_t kFirst = 0;
      float product = 0;
      kernels::dot_rows(static_cast<const float*>(a), static_cast<const float*>(b), &kFirst, 1,
                        *static_cast<const int64_t*>(dim), &product);
      return 1 - product;
    };
  }
  void* get_dist_func_param() override { return &dim_; }

 private:
  int64_t dim_;
};

}  // namespace

struct NearestGraph::Graph {
  Graph(const Scan& rows, int64_t breadth)
      : space(rows.dim()), links(&space, static_cast<size_t>(rows.size()), kLinks, kBuildBreadth, kSeed) {
    links.setEf(static_cast<size_t>(breadth));
  }

  UnitSpace space;
  hnswlib::HierarchicalNSW<float> links;
};

NearestGraph::NearestGraph(const Scan& rows, int64_t breadth)
    : rows_(rows), graph_(std::make_unique<Graph>(rows, breadth)) {
  const auto dim = static_cast<size_t>(rows.dim());
  std::vector<float> buffer(dim), unit(dim);
  for (int64_t id = 0; id < rows.size(); ++id) {
    if (std::isnan(rows.scales()[id])) continue;
    const float* row = rows.row(id, buffer.data());
    const double length = std::sqrt(kernels::sum_of_squares(row, rows.dim()));
    for (size_t d = 0; d < dim; ++d) unit[d] = static_cast<float>(static_cast<double>(row[d]) / length);
    graph_->links.addPoint(unit.data(), static_cast<size_t>(id));
  }
}

NearestGraph::~NearestGraph() = default;

std::vector<std::vector<Neighbor>> NearestGraph::nearest(const at::Tensor& all_queries,
                                                         const NearestOptions& options) const {
  const auto queries = all_queries.contiguous();
  const auto prepared = rows_.prepare(queries);
  const auto dim = static_cast<size_t>(rows_.dim());
  std::vector<std::vector<Neighbor>> result(static_cast<size_t>(queries.size(0)));
  const double cost = 500 * static_cast<double>(options.k + rows_.dim());
  parallel_for(queries.size(0), cost, [&](int64_t first, int64_t last) {
    std::vector<float> buffer(dim);
    for (int64_t q = first; q < last; ++q) {
      const auto at = static_cast<size_t>(q);
      const std::span query(queries.const_data_ptr<float>() + at * dim, dim);
      if (std::ranges::all_of(query, [](float x) { return x == 0; })) continue;
      const auto without = options.excluded.empty() ? std::span<const int64_t>{}
                                                    : std::span<const int64_t>(options.excluded[at]);
      const auto most =
          std::min(static_cast<size_t>(options.k) + without.size(), static_cast<size_t>(rows_.size()));
      auto near = graph_->links.searchKnn(prepared.unit.const_data_ptr<float>() + at * dim, most);
      std::vector<std::pair<double, int64_t>> found;
      for (; !near.empty(); near.pop()) {
        const auto id = static_cast<int64_t>(near.top().second);
        const double score = cosine(query, {rows_.row(id, buffer.data()), dim});
        if (score >= options.min_score && std::ranges::find(without, id) == without.end())
          found.emplace_back(-score, id);
      }
      std::ranges::sort(found);
      if (found.size() > static_cast<size_t>(options.k)) found.resize(static_cast<size_t>(options.k));
      for (const auto& [negative, id] : found) result[at].push_back({id, static_cast<float>(-negative)});
    }
  });
  return result;
}

double NearestGraph::recall(int64_t k, int64_t sample) const {
  const int64_t count = std::min(sample, rows_.size()), dim = rows_.dim();
  const auto queries = at::empty({count, dim});
  std::vector<std::vector<int64_t>> own;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t id = i * rows_.size() / count;
    float* to = queries.mutable_data_ptr<float>() + i * dim;
    if (const float* row = rows_.row(id, to); row != to) std::copy(row, row + dim, to);
    own.push_back({id});
  }
  const NearestOptions options{.k = k, .excluded = own};
  const auto exact = semblance::nearest(rows_, queries, options), found = nearest(queries, options);
  int64_t there = 0, all = 0;
  for (size_t i = 0; i < exact.size(); ++i)
    for (const auto& neighbor : exact[i]) {
      ++all;
      there += std::ranges::find(found[i], neighbor.id, &Neighbor::id) != found[i].end();
    }
  return all > 0 ? static_cast<double>(there) / static_cast<double>(all) : 1;
}

}  // namespace semblance
