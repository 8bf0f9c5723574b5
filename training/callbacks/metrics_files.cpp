#include "training/callbacks/metrics_files.h"

#include <algorithm>
#include <limits>

#include "data/io/atomic_file.h"
#include "data/io/folders.h"
#include "data/io/line_reader.h"
#include "training/measures/curves.h"
#include "training/metrics.h"
#include "training/trainer.h"

namespace semblance {
namespace {

// Null where an epoch had nothing to learn from.
double train_loss(const Json& record) {
  const auto& loss = record["train_loss"];
  return loss.is_null() ? std::numeric_limits<double>::quiet_NaN() : loss.get<double>();
}

}  // namespace

std::string history_table(const Json& history) {
  if (history.empty()) return {};
  // What is learnt beside layers, as the last epoch has it, and the scalar metrics, as the first orders them.
  std::vector<std::string> learnt, names;
  for (const auto& [name, value] : named_numbers(history.back().value("learnt", Json::object())))
    learnt.push_back(name);
  if (history[0].contains("valid"))
    for (const auto& [name, value] : named_numbers(history[0]["valid"])) names.push_back(name);
  std::string table = "epoch\tstep\tlr\ttrain_loss";
  for (const auto& name : learnt) table += "\t" + name;
  for (const auto& name : names) table += "\tvalid_" + name;
  table += "\n";
  for (const auto& record : history) {
    table += fmt::format("{}\t{}\t{:.6g}\t{:.6f}", record["epoch"].get<int64_t>(),
                         record["step"].get<int64_t>(), record["lr"].get<double>(), train_loss(record));
    for (const auto& name : learnt) {
      const auto value = named_number(record.value("learnt", Json::object()), name);
      table += value.is_number() ? fmt::format("\t{:.6f}", value.get<double>()) : "\t";
    }
    for (const auto& name : names) {
      const auto value = named_number(record["valid"], name);
      table += value.is_number_integer() ? fmt::format("\t{}", value.get<int64_t>())
               : value.is_number()       ? fmt::format("\t{:.6f}", value.get<double>())
                                         : "\t";
    }
    table += "\n";
  }
  return table;
}

Json read_history_table(const std::filesystem::path& file) {
  if (!is_file(file)) return nullptr;
  LineReader lines{ByteStream(file.string())};
  Json columns = Json::array(), rows = Json::array();
  for (std::string_view line; lines.next(line);) {
    Json cells = Json::array();
    for (size_t begin = 0; begin <= line.size();) {
      const auto end = std::min(line.find('\t', begin), line.size());
      const auto cell = line.substr(begin, end - begin);
      begin = end + 1;
      if (columns.empty())
        cells.push_back(cell);
      else
        cells.push_back(cell.empty() ? Json() : json_if_any(cell));
    }
    if (columns.empty()) {
      columns = std::move(cells);
      continue;
    }
    // What is not finite is written as a word.
    for (auto& cell : cells)
      if (!cell.is_number()) cell = nullptr;
    if (cells.size() != columns.size())
      throw Error(ErrorKind::Data, "{}:{}: expected {} numbers, found {}", file.string(), rows.size() + 2,
                  columns.size(), cells.size());
    rows.push_back(std::move(cells));
  }
  return {{"columns", std::move(columns)}, {"rows", std::move(rows)}};
}

void MetricsFiles::on_epoch(TrainerCore& trainer) {
  const auto& history = trainer.state().history;
  write_file_atomically(folder_ / "metrics.tsv", history_table(history));

  Panel loss{.title = "loss", .curves = {}},
      metric{.title = std::string(trainer.metric().name), .curves = {}};
  Curve train{"training", {}}, valid{"validation", {}}, best{"validation", {}};
  for (const auto& record : history) {
    const double epoch = record["epoch"].get<double>();
    train.points.emplace_back(epoch, train_loss(record));
    if (!record.contains("valid")) continue;
    const auto add = [&](Curve& curve, const std::string& name) {
      const auto found = named_number(record["valid"], name);
      if (found.is_number()) curve.points.emplace_back(epoch, found.get<double>());
    };
    add(valid, "loss");
    add(best, metric.title);
  }
  loss.curves = {train};
  if (!valid.points.empty()) loss.curves.push_back(valid);
  std::vector<Panel> panels = {loss};
  if (!best.points.empty() && metric.title != "loss") {
    metric.curves = {best};
    panels.push_back(metric);
  }
  write_file_atomically(folder_ / "curves.svg", draw_curves(panels, "epoch"));
}

}  // namespace semblance
