#include "models/packed_table.h"

#include <gtest/gtest.h>
#include <torch/types.h>

#include "models/embedding_bag.h"

namespace semblance {
namespace {

at::Tensor unpack_all(const PackedTable& table) {
  return unpack_rows(table, 0, table.values.size(0));
}

TEST(PackedTable, IsWithinHalfAScaleOfEachNumber) {
  const auto table = torch::randn({200, 33}) * torch::logspace(-6, 3, 200).unsqueeze(1);
  const auto packed = pack_table(table);
  EXPECT_EQ(packed.values.scalar_type(), torch::kInt8);
  EXPECT_TRUE(packed.scales.allclose(std::get<0>(table.abs().max(1)) / 127));
  const auto off = (unpack_all(packed) - table).abs();
  EXPECT_TRUE(off.le(packed.scales.unsqueeze(1) * 0.5001).all().item<bool>());
}

TEST(PackedTable, KeepsZerosAndTheLargestNumbers) {
  const auto table = torch::tensor({{0.0f, 0.0f}, {2.0f, -2.0f}, {1e-45f, 0.0f}});
  EXPECT_TRUE(unpack_all(pack_table(table)).allclose(table));
}

TEST(PackedTable, RowsOfItAreThoseOfTheWhole) {
  const auto packed = pack_table(torch::randn({10, 4}));
  EXPECT_TRUE(unpack_rows(packed, 3, 5).equal(unpack_all(packed).narrow(0, 3, 5)));
}

TEST(PackedTable, IsPooledAsTheFloatsThatItStandsFor) {
  for (const int64_t dim : {1, 16, 33, 300}) {
    const auto packed = pack_table(torch::randn({50, dim}));
    const auto floats = unpack_all(packed);
    const auto ids = torch::randint(50, {40}, torch::kInt64), offsets = torch::tensor({0l, 7l, 7l, 30l, 40l});
    const auto weights = torch::rand({40});
    for (const auto pooling : {BagPooling::Sum, BagPooling::Mean})
      EXPECT_TRUE(packed_embedding_bag(packed, ids, offsets, pooling)
                      .allclose(embedding_bag(floats, ids, offsets, pooling, false), 1e-5, 1e-5));
    EXPECT_TRUE(
        packed_embedding_bag(packed, ids, offsets, BagPooling::Mean, weights)
            .allclose(embedding_bag(floats, ids, offsets, BagPooling::Mean, false, weights), 1e-5, 1e-5));
  }
  const auto packed = pack_table(torch::randn({5, 2}));
  EXPECT_THROW(packed_embedding_bag(packed, torch::tensor({5l}), torch::tensor({0l, 1l}), BagPooling::Sum),
               c10::Error);
}

}  // namespace
}  // namespace semblance
