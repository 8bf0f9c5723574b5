#include "training/schedule.h"

#include <gtest/gtest.h>

namespace semblance {
namespace {

TEST(Schedule, ConstantStays) {
  EXPECT_EQ((Schedule{.base = 0.1, .total_steps = 10}.rate(7)), 0.1);
}

TEST(Schedule, WarmUpRisesToTheBase) {
  const Schedule schedule{.base = 1.0, .warmup_steps = 4, .total_steps = 10};
  EXPECT_DOUBLE_EQ(schedule.rate(0), 0.25);
  EXPECT_DOUBLE_EQ(schedule.rate(3), 1.0);
  EXPECT_DOUBLE_EQ(schedule.rate(4), 1.0);
}

TEST(Schedule, LinearAndCosineFallFromTheBaseToZero) {
  Schedule schedule{.kind = ScheduleKind::Linear, .base = 2.0, .total_steps = 100};
  EXPECT_DOUBLE_EQ(schedule.rate(0), 2.0);
  EXPECT_DOUBLE_EQ(schedule.rate(50), 1.0);
  EXPECT_NEAR(schedule.rate(100), 0, 1e-12);
  schedule.kind = ScheduleKind::Cosine;
  EXPECT_DOUBLE_EQ(schedule.rate(0), 2.0);
  EXPECT_NEAR(schedule.rate(25), 2.0 * 0.8535534, 1e-6);
  EXPECT_NEAR(schedule.rate(100), 0, 1e-12);
}

TEST(Schedule, StepDropsEverySoManyEpochs) {
  const Schedule schedule{.kind = ScheduleKind::Step,
                          .base = 1.0,
                          .total_steps = 100,
                          .steps_per_epoch = 5,
                          .decay_epochs = 2,
                          .decay = 0.1};
  EXPECT_DOUBLE_EQ(schedule.rate(9), 1.0);
  EXPECT_DOUBLE_EQ(schedule.rate(10), 0.1);
  EXPECT_NEAR(schedule.rate(20), 0.01, 1e-12);
}

}  // namespace
}  // namespace semblance
