#include "data/labelled_dataset.h"

#include <ATen/Functions.h>
#include <gtest/gtest.h>

#include "data/batch_loader.h"
#include "data/batch_source.h"
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

TEST(BatchLoader, GivesTheBatchesOfAnEpochInTheirOrderFromAnyOfThemOn) {
  const auto data = dataset(0);
  const ShuffledSampler sampler(data.size(), 5);
  const SampledBatches source(data, sampler, 3, 1);
  ASSERT_EQ(source.batches(), 2);
  EXPECT_EQ(source.examples(0), 3);
  EXPECT_EQ(source.examples(1), 1);
  for (const int64_t epoch : {0, 1})
    for (const int64_t first : {0, 1, 2}) {
      BatchLoader loader(source.epoch(epoch), source.batches(), first);
      Ids seen, expected;
      while (auto batch = loader.next())
        for (const int64_t target : values(batch->targets)) seen.push_back(target);
      const auto order = sampler.order(epoch);
      for (int64_t place = 3 * first; place < order.size(); ++place)
        expected.push_back(data.labels()[order[place]][0]);
      EXPECT_EQ(seen, expected) << "epoch " << epoch << " from batch " << first;
    }
}

TEST(BatchLoader, CanBeLeftInTheMiddle) {
  const auto data = dataset(0);
  const WeightedSampler many(std::vector<double>(4, 1.0), 1);
  const SampledBatches source(data, many, 1, 1);
  BatchLoader loader(source.epoch(0), source.batches());
  EXPECT_TRUE(loader.next());
}

TEST(BatchLoader, RethrowsWhatABatchThrewAfterThoseBeforeIt) {
  struct Epoch {
    int64_t batch(int64_t i) {
      if (i == 2) throw std::runtime_error("the third");
      return i;
    }
  };
  BatchLoader loader(Epoch{}, 5);
  EXPECT_EQ(loader.next(), 0);
  EXPECT_EQ(loader.next(), 1);
  for (int again = 0; again < 2; ++again) EXPECT_THROW(loader.next(), std::runtime_error);
  BatchLoader left_alone(Epoch{}, 5, 2);
}

}  // namespace
}  // namespace semblance
