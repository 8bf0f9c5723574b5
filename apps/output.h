// What the program prints: results on standard output, everything else on standard error.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "data/config.h"
#include "training/callback.h"

namespace semblance {

/// Writes to standard output. Throws Error(Internal) if it cannot be written, a full disk behind it among the
/// reasons.
void print_out(std::string_view text);
void flush_out();

/// A line on standard error.
void print_note(const std::string& line);

/// The tables that people see of an evaluation's report.
std::string metrics_table(const Json& report);

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
