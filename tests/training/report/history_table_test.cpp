#include <gtest/gtest.h>

#include "data/io/atomic_file.h"
#include "tests/temporary_folder.h"
#include "training/callbacks/metrics_files.h"

namespace semblance {
namespace {

TEST(HistoryTable, IsReadAsItWasWritten) {
  const TemporaryFolder folder;
  const Json history = {
      {{"epoch", 1}, {"step", 20}, {"lr", 0.01}, {"train_loss", 0.5}, {"valid", {{"auc", nullptr}}}},
      {{"epoch", 2}, {"step", 40}, {"lr", 1e-7}, {"train_loss", nullptr}, {"valid", {{"auc", 0.75}}}}};
  write_file_atomically(folder / "metrics.tsv", history_table(history));
  const Json table = read_history_table(folder / "metrics.tsv");
  EXPECT_EQ(table["columns"], (Json{"epoch", "step", "lr", "train_loss", "valid_auc"}));
  EXPECT_EQ(table["rows"], (Json{{1, 20, 0.01, 0.5, nullptr}, {2, 40, 1e-7, nullptr, 0.75}}));
}

TEST(HistoryTable, WhatIsNone) {
  const TemporaryFolder folder;
  EXPECT_TRUE(read_history_table(folder / "metrics.tsv").is_null());
  write_file_atomically(folder / "metrics.tsv", "");
  EXPECT_TRUE(read_history_table(folder / "metrics.tsv")["rows"].empty());
  for (const auto* bad : {"1\n", "1\t2\t3\n", "\n", "1\t2\n3\n"}) {
    write_file_atomically(folder / "metrics.tsv", std::string("epoch\tstep\n") + bad);
    EXPECT_THROW(read_history_table(folder / "metrics.tsv"), Error) << bad;
  }
}

}  // namespace
}  // namespace semblance
