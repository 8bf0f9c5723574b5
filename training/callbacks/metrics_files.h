// metrics.tsv and curves.svg: the history as a table and as a picture, rewritten whole after each epoch.
#pragma once

#include <filesystem>

#include "training/callback.h"

namespace semblance {

class MetricsFiles : public Callback {
 public:
  explicit MetricsFiles(std::filesystem::path folder) : folder_(std::move(folder)) {}
  void on_epoch(TrainerCore&) override;

 private:
  std::filesystem::path folder_;
};

/// A tab-separated table of a history: a header, then a line per epoch.
std::string history_table(const Json& history);
/// Such a table as it lies in a file: columns (their names) and rows, lists of numbers, null where a cell has
/// none; null where there is no file. Throws Error(Data) naming file and line.
Json read_history_table(const std::filesystem::path& file);

}  // namespace semblance
