#include "training/tasks/word2vec/negative_sampling.h"

#include <gtest/gtest.h>

#include <torch/types.h>

#include "models/parallel.h"

namespace semblance {
namespace {

constexpr int64_t kRows = 300, kDim = 12;

// Sentences in which words of one topic, a third of the vocabulary, stand together.
RaggedIds topics(int64_t words, uint64_t key) {
  RandomStream random(key);
  RaggedIds sentences;
  while (static_cast<int64_t>(sentences.values.size()) < words) {
    const auto topic = static_cast<int32_t>(random.below(3));
    for (int i = 0; i < 20; ++i)
      sentences.values.push_back(3 * static_cast<int32_t>(random.below(kRows / 3)) + topic);
    sentences.close_row();
  }
  return sentences;
}

struct Tables {
  torch::Tensor input, output = torch::zeros({kRows, kDim});
  Tables() {
    torch::manual_seed(1);
    input = torch::empty({kRows, kDim}).uniform_(-0.5 / kDim, 0.5 / kDim);
  }
};

Tables trained(Word2VecKind kind, int threads, bool hogwild, double& last_loss) {
  const std::vector<int64_t> counts(kRows, 100);
  NegativeSampling sampling(counts, {.window = 5, .sample = 0},
                            {.kind = kind, .negatives = 5, .hogwild = hogwild});
  set_compute_threads(threads);
  Tables tables;
  const float rate =
      kind == Word2VecKind::SkipGram ? 0.05f : 0.1f;  // a mean's step is that of one prediction
  for (uint64_t step = 0; step < 60; ++step) {
    const auto loss = sampling.train(topics(6000, step), step, rate, tables.input, tables.output);
    last_loss = loss.total / static_cast<double>(loss.predictions);
  }
  set_compute_threads(1);
  return tables;
}

// How much nearer words of one topic are to each other than to others, in cosine.
double separation(const torch::Tensor& input) {
  const auto unit = input / input.norm(2, 1, true);
  const auto cosine = unit.mm(unit.t());
  const auto topic = torch::arange(kRows) % 3;
  const auto same = topic.unsqueeze(0).eq(topic.unsqueeze(1));
  return (cosine.masked_select(same).mean() - cosine.masked_select(~same).mean()).item<double>();
}

class NegativeSamplingTest : public testing::TestWithParam<Word2VecKind> {};

TEST_P(NegativeSamplingTest, LearnsWhichWordsStandTogether) {
  for (const bool hogwild : {false, true}) {
    double loss = 0;
    const auto tables = trained(GetParam(), 2, hogwild, loss);
    EXPECT_GT(separation(tables.input), 0.3) << "hogwild " << hogwild;
    EXPECT_LT(loss, 6 * std::log(2.0) - 0.3) << "of the start: six choices of one half";
  }
}

TEST_P(NegativeSamplingTest, EveryNumberOfThreadsGivesTheSameBits) {
  double loss_of_one = 0, loss = 0;
  const auto expected = trained(GetParam(), 1, false, loss_of_one);
  for (const int threads : {2, 3, 8}) {
    const auto tables = trained(GetParam(), threads, false, loss);
    EXPECT_TRUE(torch::equal(tables.input, expected.input)) << threads;
    EXPECT_TRUE(torch::equal(tables.output, expected.output)) << threads;
    EXPECT_EQ(loss, loss_of_one);
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, NegativeSamplingTest,
                         testing::Values(Word2VecKind::SkipGram, Word2VecKind::Cbow));

TEST(NegativeSampling, AWordThatStandsInEveryShardDoesNotOvershoot) {
  // Word 0 is every second word: undamped, eight shards would each move it all the way at once.
  RaggedIds sentences;
  RandomStream random(1);
  for (int64_t i = 0; i < 8 * NegativeSampling::kShardWords; ++i)
    sentences.values.push_back(i % 2 == 0 ? 0 : 1 + static_cast<int32_t>(random.below(kRows - 1)));
  sentences.close_row();
  std::vector<int64_t> counts(kRows, 10);
  counts[0] = 3000;
  // With hogwild and one thread, shard follows upon shard: nothing can overshoot.
  const auto longest_row = [&](bool hogwild) {
    NegativeSampling sampling(counts, {.window = 5, .sample = 0}, {.hogwild = hogwild});
    Tables tables;
    for (uint64_t step = 0; step < 60; ++step)
      sampling.train(sentences, step, 0.025f, tables.input, tables.output);
    return torch::cat({tables.input, tables.output}).norm(2, 1).max().item<double>();
  };
  EXPECT_LT(longest_row(false), 1.5 * longest_row(true));
}

TEST(Windows, SubsamplingKeepsTheShareOfTheOriginalsFormula) {
  const std::vector<int64_t> counts{500000, 100, 100};
  const Windows windows(counts, {.window = 2, .sample = 1e-3});
  RaggedIds sentences;
  sentences.values.assign(100000, 0);
  sentences.values.push_back(1);
  sentences.close_row();
  KeptWords kept;
  RandomStream random(5);
  windows.keep(sentences, 0, 100001, random, kept);
  const double excess = 500000.0 / (1e-3 * 500200);
  EXPECT_NEAR(static_cast<double>(kept.ids.size()) / 100000, (std::sqrt(excess) + 1) / excess, 0.003);
  EXPECT_EQ(kept.ids.back(), 1) << "a rare word always stays";
}

TEST(Windows, EndWithTheirSentence) {
  const std::vector<int64_t> counts(10, 1);
  const Windows windows(counts, {.window = 3, .dynamic = false, .sample = 0});
  RaggedIds sentences{.values = {0, 1, 2, 3, 4, 5}, .offsets = {0, 2, 6}};
  KeptWords kept;
  RandomStream random(5);
  windows.keep(sentences, 0, 6, random, kept);
  EXPECT_EQ(windows.around(kept, 1, random).begin, 0u);
  EXPECT_EQ(windows.around(kept, 1, random).end, 2u);
  EXPECT_EQ(windows.around(kept, 2, random).begin, 2u);
  EXPECT_EQ(windows.around(kept, 2, random).end, 6u);
}

}  // namespace
}  // namespace semblance
