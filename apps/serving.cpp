#include "apps/serving.h"

#include <algorithm>

#include "apps/output.h"
#include "data/io/line_reader.h"
#include "data/readers/read_report.h"
#include "training/device.h"
#include "training/serving/fasttext.h"
#include "training/tasks/open_words.h"

namespace semblance {

OpenedModel open_served(const CommandLine& line, const std::string& run, std::string_view verb,
                        const std::function<bool(const TaskKind&)>& can) {
  ServingOptions options;
  line.apply_fields(options);
  set_threads(options.threads);
  choose_kernels(options.kernels);
  return open_model(run, options.checkpoint, resolve_device(options.device), verb, print_note, can);
}

void add_evaluation_options(CommandLine& line) {
  for (const auto& kind : task_kinds())
    if (kind.make_evaluation) line.add_sections(*kind.make_evaluation());
}

void apply_evaluation_options(const CommandLine& line, OpenedModel& opened, bool allowed) {
  auto& own = dynamic_cast<Evaluable&>(*opened.model).evaluation();
  const auto has = [&](std::string_view name) {
    return std::ranges::any_of(sections_of(own), [&](const Section& section) {
      return std::ranges::find(section.fields, name, &FieldRef::name) != section.fields.end();
    });
  };
  for (const auto& kind : task_kinds()) {
    if (!kind.make_evaluation) continue;
    const auto options = kind.make_evaluation();
    for (const auto& section : sections_of(*options))
      for (const auto& field : section.fields) {
        if (!line.given(field.name)) continue;
        if (!has(field.name))
          throw Error(ErrorKind::Usage, "--{}: does not apply to a {} model", field.name, opened.task());
        if (!allowed)
          throw Error(ErrorKind::Usage, "--{}: expected --data beside it, found none", field.name);
      }
  }
  line.apply_sections(own);
}

std::string output_file(const CommandLine& line) {
  const auto output = line.last("output").value_or("");
  if (output.empty()) throw Error(ErrorKind::Usage, "--output: expected a file to write, found none");
  if (output == "-" && line.given("json"))
    throw Error(ErrorKind::Usage, "--json: expected a file as --output, found -, where the output goes");
  return output;
}

void add_oov_option(CommandLine& line, std::string_view heading) {
  line.add_option(heading, "oov", "RUN",
                  "a trigram run, or a fastText model, that makes vectors for words the file lacks");
}

std::shared_ptr<WordEncoder> open_oov(const CommandLine& line, const WordVectors& vectors) {
  const auto run = line.last("oov");
  return run ? open_word_encoder(*run, vectors.dim(), print_note) : open_fasttext_words(vectors.source());
}

void for_each_line(const std::string& path,
                   const std::function<void(std::string_view text, bool may_wait)>& visit) {
  LineReader lines{ByteStream(path)};
  ReadReport report{.units = {.whole = "line", .bad = "line", .repaired = "line"}, .decodes = false};
  std::string buffer;
  for (std::string_view line; lines.next(line);) {
    ++report.rows;
    visit(report.valid(line, buffer), !lines.has_buffered_line());
  }
  constexpr int64_t kQuestions = 10;  // some lines may be anything
  if (report.rows > kQuestions) report.check_encoding(path);
  report.tell(path, print_note);
}

}  // namespace semblance
