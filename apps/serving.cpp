#include "apps/serving.h"

#include "apps/output.h"
#include "data/io/line_reader.h"
#include "data/text/unicode.h"
#include "training/tasks/trigram.h"
#include "training/threads.h"

namespace semblance {

void add_serving_options(CommandLine& line) {
  line.add_option("Model", "checkpoint", "best|last|NAME", "which checkpoint of the run", "best");
  line.add_option("Model", "device", "auto|cpu|cuda|cuda:N", "where the model runs", "auto");
  line.add_option("Model", "threads", "N", "threads to compute with; 0: one for each CPU it may use", "0");
  line.add_flag("Output", "json", "print JSON");
}

ServedCheckpoint open_checkpoint(const CommandLine& line, const std::string& run) {
  set_threads(
      parse_integer(line.last("threads").value_or("0"), "threads", Field{.help = "", .min = 0, .max = 1024}));
  auto location = locate_checkpoint(run, line.last("checkpoint").value_or("best"));
  auto checkpoint = read_checkpoint(location.path(), CheckpointPart::ModelOnly);
  return {std::move(location), std::move(checkpoint)};
}

void add_oov_option(CommandLine& line, std::string_view heading) {
  line.add_option(heading, "oov", "RUN", "a trigram run that makes vectors for words the file lacks");
}

std::unique_ptr<WordEncoder> open_oov(const CommandLine& line, int64_t dim) {
  const auto run = line.last("oov");
  if (!run) return nullptr;
  const auto location = locate_checkpoint(*run, "best");
  const auto checkpoint = read_checkpoint(location.path(), CheckpointPart::ModelOnly);
  auto model = std::make_unique<TrigramModel>(checkpoint, location.path().string());
  if (model->dim() != dim)
    throw Error(ErrorKind::Model, "{}: expected a model of vectors of {} numbers, found {}",
                location.path().string(), dim, model->dim());
  return model;
}

void for_each_line(const std::string& path,
                   const std::function<void(std::string_view text, bool may_wait)>& visit) {
  LineReader lines{ByteStream(path)};
  std::string valid;
  int64_t damaged = 0;
  for (std::string_view line; lines.next(line);) {
    if (line.find_first_not_of(" \t") == std::string_view::npos) continue;
    valid.clear();
    damaged += append_valid_utf8(line, valid) > 0;
    visit(valid, !lines.has_buffered_line());
  }
  if (damaged > 0)
    print_note(
        fmt::format("warning: {}: {} line(s) with ill-formed UTF-8, which became U+FFFD", path, damaged));
}

std::string device_choice(const CommandLine& line) {
  return line.last("device").value_or("auto");
}

}  // namespace semblance
