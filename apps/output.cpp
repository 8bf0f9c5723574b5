#include "apps/output.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>

#include "data/io/atomic_file.h"
#include "data/text/unicode.h"
#include "training/trainer.h"

namespace semblance {
namespace {

constexpr double kSecondsBetweenLines = 5;
constexpr int kMostMetrics = 7;  // of an epoch's line, the first of a report

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::string cell(const Json& value) {
  if (value.is_number_float()) return fmt::format("{:.4f}", value.get<double>());
  if (value.is_null()) return "-";
  return value.is_string() ? value.get<std::string>() : value.dump();
}

std::string duration(double seconds) {
  const auto s = static_cast<int64_t>(seconds + 0.5);
  return s >= 3600 ? fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60)
                   : fmt::format("{}:{:02}", s / 60, s % 60);
}

// All that goes to standard error goes through here.
void write_note(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
}

// `text` without what a terminal would obey or hide: control characters, marks that turn the direction of
// writing, and bytes that are no UTF-8 are shown by their numbers.
std::string printable(std::string_view text) {
  const auto is_harmless = [](std::string_view c) {
    if (c.size() == 1) return c[0] >= ' ' && c[0] != 0x7F;
    size_t at = 0;
    const char32_t code = decode_utf8(c, at);
    return code >= 0xA0 && !(code >= 0x202A && code <= 0x202E) && !(code >= 0x2066 && code <= 0x2069);
  };
  std::string shown;
  while (!text.empty()) {
    size_t length = 1;
    while (length < 4 && length < text.size() && !is_valid_utf8(text.substr(0, length))) ++length;
    const auto character = text.substr(0, is_valid_utf8(text.substr(0, length)) ? length : 1);
    if (is_valid_utf8(character) && is_harmless(character))
      shown += character;
    else
      for (const char byte : character) shown += fmt::format("\\x{:02x}", static_cast<unsigned char>(byte));
    text.remove_prefix(character.size());
  }
  return shown;
}

constexpr std::string_view kClearLine = "\r\033[K";

}  // namespace

void open_missing_streams() {
  constexpr int kModes[] = {O_WRONLY, O_RDONLY, O_RDWR};  // the wrong way round, so that use of 0 and 1 fails
  for (int number = STDIN_FILENO; number <= STDERR_FILENO; ++number)
    if (fcntl(number, F_GETFD) < 0 && open("/dev/null", kModes[number]) != number)
      throw Error(ErrorKind::Internal, "/dev/null cannot be opened in the place of descriptor {}: {}", number,
                  std::strerror(errno));
}

void print_out(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) fail_standard_output();
}

void flush_out() {
  if (std::fflush(stdout) != 0) fail_standard_output();
}

void print_note(const std::string& line) {
  write_note(printable(line) + "\n");
}

std::string metrics_table(const Json& report) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& [name, value] : report.items())
    if (!value.is_structured()) rows.push_back({name, cell(value)});
  for (const auto& [name, value] : named_numbers(report))
    if (name.find('@') != std::string::npos) rows.push_back({name, cell(value)});
  std::string text = align(rows);
  if (const auto sections = report.find("sections"); sections != report.end()) {
    rows = {{"section", "accuracy", "correct", "examples", "skipped"}};
    for (const auto& row : *sections)
      rows.push_back({cell(row["section"]), cell(row["accuracy"]), cell(row["correct"]),
                      cell(row["examples"]), cell(row["skipped"])});
    text += "\n" + align(rows);
  }
  if (const auto held_out = report.find("held_out"); held_out != report.end() && held_out->is_object())
    text += "\nheld-out words\n" + metrics_table(*held_out);
  if (const auto classes = report.find("per_class"); classes != report.end()) {
    constexpr size_t kMost = 40;
    rows = {{"label", "precision", "recall", "f1", "examples"}};
    for (const auto& row : *classes) {
      if (rows.size() > kMost) break;
      rows.push_back({cell(row["label"]), cell(row["precision"]), cell(row["recall"]), cell(row["f1"]),
                      cell(row["examples"])});
    }
    text += "\n" + align(rows);
    if (classes->size() > kMost)
      text += fmt::format("… and {} more labels (--json has them all)\n", classes->size() - kMost);
  }
  if (const auto confusion = report.find("confusion"); confusion != report.end() && confusion->size() <= 20) {
    rows = {{"actual \\ predicted"}};
    for (const auto& row : report["per_class"]) rows[0].push_back(cell(row["label"]));
    for (size_t i = 0; i < confusion->size(); ++i) {
      rows.push_back({cell(report["per_class"][i]["label"])});
      for (const auto& count : (*confusion)[i]) rows.back().push_back(cell(count));
    }
    text += "\n" + align(rows);
  }
  return text;
}

std::string align(const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths;
  const auto width = [](const std::string& text) {
    return static_cast<size_t>(std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; }));
  };
  for (const auto& row : rows)
    for (size_t c = 0; c < row.size(); ++c) {
      if (c >= widths.size()) widths.push_back(0);
      widths[c] = std::max(widths[c], width(row[c]));
    }
  std::string text;
  for (const auto& row : rows) {
    for (size_t c = 0; c < row.size(); ++c) {
      const std::string pad(widths[c] - width(row[c]), ' ');
      text += c == 0 ? row[c] + pad : "  " + pad + row[c];
    }
    text += "\n";
  }
  return text;
}

void print_measures(const Json& report) {
  for (const char* part : {"valid", "test"})
    if (report.contains(part))
      print_out(fmt::format("{} ({})\n{}\n", part, report["checkpoint"].get<std::string>(),
                            metrics_table(report[part])));
}

Progress::Progress() : terminal_(isatty(STDERR_FILENO) != 0) {}

void Progress::clear_bar() {
  if (std::exchange(bar_shown_, false)) write_note(kClearLine);
}

void Progress::on_begin(TrainerCore& trainer) {
  last_line_ = now();
  if (trainer.state().step > 0 && trainer.state().stopped.empty())
    print_note(fmt::format("going on at epoch {}, step {}", trainer.state().epoch + 1, trainer.state().step));
}

void Progress::on_log(TrainerCore& trainer, const StepReport& report) {
  const auto& state = trainer.state();
  const double share = static_cast<double>(state.batch) / static_cast<double>(trainer.batches_per_epoch());
  const auto left = static_cast<double>(trainer.examples_per_epoch()) *
                    (static_cast<double>(trainer.options().epochs - state.epoch) - share);
  const auto line =
      fmt::format("epoch {}/{} {:3.0f}%  loss {:.4f}  lr {:.3g}  {:.0f} {}/s  {} left", state.epoch + 1,
                  trainer.options().epochs, 100 * share, report.loss, report.learning_rate,
                  report.examples_per_second, trainer.unit(), duration(left / report.examples_per_second));
  if (terminal_) {
    constexpr int kWidth = 24;
    const auto done = static_cast<size_t>(share * kWidth);
    write_note(fmt::format("{}[{}{}] {}", kClearLine, std::string(done, '#'), std::string(kWidth - done, '.'),
                           line));
    bar_shown_ = true;
  } else if (now() - last_line_ >= kSecondsBetweenLines) {
    print_note(line);
    last_line_ = now();
  }
}

void Progress::on_epoch(TrainerCore& trainer) {
  clear_bar();
  const auto& record = trainer.state().history.back();
  std::string line =
      fmt::format("epoch {}/{}  step {}  train loss {:.4f}", trainer.state().epoch, trainer.options().epochs,
                  trainer.state().step, record["train_loss"].get<double>());
  for (const auto& [name, value] : named_numbers(record.value("learnt", Json::object())))
    line += fmt::format("  {} {:.4f}", name, value.get<double>());
  if (record.contains("valid"))
    for (int shown = 0; const auto& [name, value] : named_numbers(record["valid"]))
      if (value.is_number_float() && shown++ < kMostMetrics)
        line += fmt::format("  {} {:.4f}", name, value.get<double>());
  if (record.contains("class_mix") && record["class_mix"].size() <= 10) {
    line += "  mix";
    for (const auto& [name, value] : record["class_mix"].items())
      line += fmt::format(" {}:{:.2f}", name, value.get<double>());
  }
  print_note(line);
  last_line_ = now();
}

void Progress::on_end(TrainerCore& trainer) {
  clear_bar();
  print_note(
      fmt::format("{} at epoch {}, step {}", trainer.outcome(), trainer.state().epoch, trainer.state().step));
}

RowProgress::RowProgress() : terminal_(isatty(STDERR_FILENO) != 0) {}

void RowProgress::show(int64_t rows) {
  if (!terminal_) return;
  write_note(fmt::format("{}{} rows", kClearLine, rows));
  shown_ = true;
}

void RowProgress::clear() {
  if (std::exchange(shown_, false)) write_note(kClearLine);
}

}  // namespace semblance
