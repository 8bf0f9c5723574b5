#include "training/tune/search_space.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace semblance {
namespace {

struct ToyOptions {
  int64_t width = 16;
  double dropout = 0.5;
  std::string name = "toy";

  void fields(FieldList& list) {
    list.add("width", width, {.min = 1, .search = {.choices = "8|16|32"}});
    list.add("dropout", dropout, {.min = 0, .max = 0.9, .search = {.factor = 3}});
    list.add("name", name, {});
  }
};

struct ToyJob : Job {
  ToyOptions model;

  std::string_view task() const override { return "toy"; }
  void sections(SectionList& list) override {
    list.add("model", model, "Model");
    list.add("training", training, "Training");
  }
};

SearchSpace space_of(const ToyJob& job, const std::set<std::string_view>& searched) {
  return {job, [&](std::string_view, std::string_view field) { return searched.contains(field); }};
}

TEST(SearchSpace, HasTheFieldsThatDeclareASearchAndMayChange) {
  const ToyJob job;
  EXPECT_EQ(space_of(job, {"width", "name", "lr"}).names(), (std::vector<std::string>{"width", "lr"}));
  EXPECT_EQ(space_of(job, {"width", "lr"}).base(), (SearchSpace::Values{"16", "0.005"}));
  EXPECT_TRUE(space_of(job, {}).near({}, *std::make_unique<RandomStream>(1)).empty());
}

TEST(SearchSpace, DrawsChoicesAndNumbersAroundTheValueWithinTheFieldsBounds) {
  const ToyJob job;
  const auto space = space_of(job, {"width", "dropout"});
  std::set<std::string> widths;
  double least = 1, most = 0;
  RandomStream random(1);
  for (int i = 0; i < 300; ++i) {
    const auto values = i % 2 == 0 ? space.anywhere(random) : space.near({"8", "0.9"}, random);
    widths.insert(values[0]);
    least = std::min(least, std::stod(values[1]));
    most = std::max(most, std::stod(values[1]));
  }
  EXPECT_EQ(widths, (std::set<std::string>{"8", "16", "32"}));
  EXPECT_GE(least, 0.5 / 3 - 1e-3);
  EXPECT_LT(least, 0.25);
  EXPECT_EQ(most, 0.9);
}

TEST(SearchSpace, NearIsANeighbourAndNeverTheSameWhereOneIsDrawn) {
  const ToyJob job;
  const auto space = space_of(job, {"width"});
  RandomStream random(2);
  std::set<std::string> from_the_middle, from_the_end;
  for (int i = 0; i < 50; ++i) {
    from_the_middle.insert(space.near({"16"}, random)[0]);
    from_the_end.insert(space.near({"8"}, random)[0]);
  }
  EXPECT_EQ(from_the_middle, (std::set<std::string>{"8", "32"}));
  EXPECT_EQ(from_the_end, (std::set<std::string>{"16"}));
}

TEST(SearchSpace, SetsTheValuesInAJobAsTheCommandLineWould) {
  ToyJob job;
  const auto space = space_of(job, {"width", "dropout", "epochs"});
  space.apply({"32", "0.25", "7"}, job);
  EXPECT_EQ(job.model.width, 32);
  EXPECT_EQ(job.model.dropout, 0.25);
  EXPECT_EQ(job.training.epochs, 7);
}

}  // namespace
}  // namespace semblance
