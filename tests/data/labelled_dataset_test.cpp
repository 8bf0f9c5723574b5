#include "data/labelled_dataset.h"

#include <ATen/Functions.h>
#include <gtest/gtest.h>

#include "data/batch_loader.h"
#include "data/sampler.h"

namespace semblance {
namespace {

using Ids = std::vector<int64_t>;

RaggedIds texts() {
  RaggedIds rows;
  for (const auto& row : {std::vector<int32_t>{1, 2, 3}, {}, {4}, {5, 6, 7, 8}}) rows.push_back(row);
  return rows;
}

Ids values(const at::Tensor& tensor) {
  return {tensor.data_ptr<int64_t>(), tensor.data_ptr<int64_t>() + tensor.numel()};
}

Ids ids(const Collation& collation, const Ids& rows) {
  return values(collate(texts(), rows, collation).ids);
}

TEST(Collate, RaggedIsCsr) {
  const auto batch = collate(texts(), Ids{3, 1, 0}, {});
  EXPECT_EQ(values(batch.ids), (Ids{5, 6, 7, 8, 1, 2, 3}));
  EXPECT_EQ(values(batch.offsets), (Ids{0, 4, 4, 7}));
  EXPECT_EQ(ids({.max_length = 2}, {3, 0}), (Ids{5, 6, 1, 2}));
}

TEST(Collate, LongestFillsToTheLongestOfTheBatch) {
  EXPECT_EQ(ids({.shape = Collation::Shape::Longest}, {0, 2}), (Ids{1, 2, 3, 4, 0, 0}));
  EXPECT_EQ(ids({.shape = Collation::Shape::Longest}, {1}), (Ids{0})) << "an empty text is one pad";
}

// As keras.utils.pad_sequences(maxlen=3).
TEST(Collate, FixedPadsAndCutsOnEitherSide) {
  const auto fixed = [](Side padding, Side truncation) {
    return ids(
        {.shape = Collation::Shape::Fixed, .max_length = 3, .padding = padding, .truncation = truncation},
        {2, 3});
  };
  EXPECT_EQ(fixed(Side::Post, Side::Post), (Ids{4, 0, 0, 5, 6, 7}));
  EXPECT_EQ(fixed(Side::Pre, Side::Post), (Ids{0, 0, 4, 5, 6, 7}));
  EXPECT_EQ(fixed(Side::Pre, Side::Pre), (Ids{0, 0, 4, 6, 7, 8}));
}

LabelledDataset dataset(int64_t classes) {
  RaggedIds labels;
  for (const auto& row : {std::vector<int32_t>{1}, {0}, {2}, {1}}) labels.push_back(row);
  return {texts(), labels, classes, {}};
}

TEST(LabelledDataset, TargetsAreClassesOrSets) {
  EXPECT_EQ(values(dataset(0).batch(Ids{2, 0}, 0).targets), (Ids{2, 1}));
  EXPECT_TRUE(
      dataset(3).batch(Ids{2, 0}, 0).targets.equal(at::tensor({0.f, 0.f, 1.f, 0.f, 1.f, 0.f}).view({2, 3})));
}

TEST(BatchLoader, KeepsTheOrderForAnyNumberOfWorkersAndAnyStart) {
  const auto data = dataset(0);
  Ids order;
  for (int64_t i = 0; i < 101; ++i) order.push_back(i % 4);
  for (const int workers : {1, 2, 5})
    for (const int64_t first : {int64_t{0}, int64_t{7}, int64_t{33}, int64_t{34}}) {
      BatchLoader loader(data, order, 3, 1, first, workers);
      Ids seen;
      while (auto batch = loader.next())
        for (const int64_t target : values(batch->targets)) seen.push_back(target);
      Ids expected;
      for (size_t i = static_cast<size_t>(first * 3); i < order.size(); ++i)
        expected.push_back(order[i] == 0 || order[i] == 3 ? 1 : order[i] == 1 ? 0 : 2);
      EXPECT_EQ(seen, expected) << workers << " workers from batch " << first;
    }
}

TEST(BatchLoader, CanBeLeftInTheMiddle) {
  const auto data = dataset(0);
  BatchLoader loader(data, Ids(1000, 0), 1, 1);
  EXPECT_TRUE(loader.next());
}

}  // namespace
}  // namespace semblance
