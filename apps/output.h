// What the program prints: results on standard output, everything else on standard error.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "data/config.h"
#include "training/callback.h"

namespace semblance {

/// First of all: gives the standard descriptors that the caller closed a stand-in each, before a file of ours
/// gets their numbers. Reading the one for 0 fails, writing the one for 1 does; that for 2 takes everything.
void open_missing_streams();

/// Writes to standard output. Throws Error(Internal) if it cannot be written, a full disk behind it among the
/// reasons; ends the program by SIGPIPE if its reader has left.
void print_out(std::string_view text);
/// What is printed may wait in a buffer until main flushes it; answers to a stream are flushed as they are
/// there.
void flush_out();

/// A line on standard error; what a terminal would obey in it is shown by its number. It may be lost: notes
/// never fail.
void print_note(const std::string& line);

/// The tables that people see of an evaluation's report.
std::string metrics_table(const Json& report);

/// The tables of a training's report: the best epoch's validation, and the test.
void print_measures(const Json& report);

/// Columns of equal width; the first to the left, the others to the right.
std::string align(const std::vector<std::vector<std::string>>& rows);

/// Progress on standard error: a bar on a terminal, plain lines elsewhere.
class Progress : public Callback {
 public:
  Progress();
  void on_begin(TrainerCore&) override;
  void on_log(TrainerCore&, const StepReport&) override;
  void on_epoch(TrainerCore&) override;
  void on_end(TrainerCore&) override;

 private:
  void clear_bar();

  bool terminal_;
  bool bar_shown_ = false;
  double last_line_ = 0;
};

/// A count of rows done on standard error, on a terminal alone.
class RowProgress {
 public:
  RowProgress();
  void show(int64_t rows);
  void clear();

 private:
  bool terminal_;
  bool shown_ = false;
};

}  // namespace semblance
