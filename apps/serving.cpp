#include "apps/serving.h"

#include "apps/output.h"
#include "data/io/line_reader.h"
#include "data/readers/read_report.h"
#include "training/device.h"

namespace semblance {

void add_serving_options(CommandLine& line) {
  line.add_fields(ServingOptions{}, "Model");
  line.add_flag("Output", "json", "print JSON");
}

namespace {

// The best, last or named checkpoint of `run`, opened if its kind is one of those that `can`, which are those
// that `verb`.
Served open_kind(const std::string& run, const ServingOptions& options, std::string_view verb,
                 const std::function<bool(const TaskKind&)>& can) {
  Served served{.location = locate_checkpoint(run, options.checkpoint), .checkpoint = {}, .model = nullptr};
  const auto source = served.location.path().string();
  served.checkpoint = read_checkpoint(source, CheckpointPart::ModelOnly);
  bool will_do = false;
  std::string names;
  for (const auto& kind : task_kinds()) {
    if (!can(kind)) continue;
    will_do |= kind.name == served.task();
    (names += names.empty() ? "" : " or ") += kind.name;
  }
  if (!will_do)
    throw Error(ErrorKind::Model, "{}: expected a model that {} ({}), found one of {}", source, verb, names,
                served.task());
  served.model = open_model(served.checkpoint, source, resolve_device(options.device));
  return served;
}

}  // namespace

Served open_served(const CommandLine& line, const std::string& run, std::string_view verb,
                   const std::function<bool(const TaskKind&)>& can) {
  ServingOptions options;
  line.apply_fields(options);
  set_threads(options.threads);
  return open_kind(run, options, verb, can);
}

void add_oov_option(CommandLine& line, std::string_view heading) {
  line.add_option(heading, "oov", "RUN", "a trigram run that makes vectors for words the file lacks");
}

std::shared_ptr<WordEncoder> open_oov(const CommandLine& line, int64_t dim) {
  const auto run = line.last("oov");
  if (!run) return nullptr;
  auto served = open_kind(*run, {.checkpoint = "best", .device = "cpu", .threads = 0}, "encodes words",
                          [](const TaskKind& kind) { return kind.encodes_words; });
  const std::shared_ptr<ServedModel> model = std::move(served.model);
  auto encoder = std::dynamic_pointer_cast<WordEncoder>(model);
  if (encoder->dim() != dim)
    throw Error(ErrorKind::Model, "{}: expected a model of {} dimensions, found {}",
                served.location.path().string(), dim, encoder->dim());
  return encoder;
}

void for_each_line(const std::string& path,
                   const std::function<void(std::string_view text, bool may_wait)>& visit) {
  LineReader lines{ByteStream(path)};
  ReadReport report{.units = {.whole = "line", .bad = "line", .repaired = "line"}};
  std::string buffer;
  for (std::string_view line; lines.next(line);) {
    if (line.find_first_not_of(" \t") == std::string_view::npos) continue;
    visit(report.valid(line, buffer), !lines.has_buffered_line());
  }
  report.tell(path, print_note);
}

}  // namespace semblance
