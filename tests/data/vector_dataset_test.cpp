#include "data/vector_dataset.h"

#include <ATen/Functions.h>
#include <gtest/gtest.h>

namespace semblance {
namespace {

TEST(VectorDataset, ABatchHasTheIdsAndTheVectorsOfItsRowsInTheirOrder) {
  RaggedIds ids;
  ids.push_back(std::vector<int32_t>{4, 5});
  ids.push_back(std::vector<int32_t>{});
  ids.push_back(std::vector<int32_t>{6});
  const VectorDataset dataset(std::move(ids), at::arange(6, at::kFloat).view({3, 2}));
  ASSERT_EQ(dataset.size(), 3);
  const int64_t rows[] = {2, 1, 0};
  const auto batch = dataset.batch(rows, 0);
  EXPECT_TRUE(batch.ids.equal(at::tensor({6, 4, 5}, at::kLong)));
  EXPECT_TRUE(batch.offsets.equal(at::tensor({0, 1, 1, 3}, at::kLong)));
  EXPECT_TRUE(batch.targets.equal(at::tensor({4, 5, 2, 3, 0, 1}, at::kFloat).view({3, 2})));
}

}  // namespace
}  // namespace semblance
