// semblance export RUN --format FORMAT --output FILE [options]
#include "apps/output.h"
#include "apps/serving.h"
#include "apps/verbs.h"
#include "data/vectors/convert.h"

namespace semblance {

int run_export(Arguments arguments) {
  CommandLine line(
      "export RUN --format FORMAT --output FILE [options]",
      "Writes a model's words and their vectors: of word2vec what it learnt, of sentiment and dssm the\n"
      "words' embeddings.");
  line.add_option("Output", "format", enum_choices<VectorFormat>(), "what to write");
  line.add_option("Output", "output", "FILE|-", "where to write it; a file is replaced in one step");
  add_serving_options(line);
  if (!line.parse(arguments)) return 0;
  const auto& given = line.positional(1, 1);
  const auto format = parse_enum<VectorFormat>(line.last("format").value_or(""), "format");
  const auto output = line.last("output").value_or("");
  if (output.empty()) throw Error(ErrorKind::Usage, "--output: expected a file to write, found none");
  const bool to_stream = output == "-";
  if (to_stream && line.given("json"))
    throw Error(ErrorKind::Usage, "--json: expected a file as --output, found -, where the vectors go");
  const auto opened = open_served(line, given[0], "has a table of words",
                                  [](const TaskKind& kind) { return kind.has_word_vectors; });
  const auto vectors = dynamic_cast<const WordTableModel&>(*opened.model).word_vectors();
  write_vectors(vectors, output, format, print_note);
  if (to_stream) return 0;
  const Json report = {
      {"output", output},     {"format", enum_name(format)},         {"vectors", vectors.size()},
      {"dim", vectors.dim()}, {"run", opened.location.run.string()}, {"checkpoint", opened.location.name}};
  print_out(line.given("json") ? json_line(report) + "\n" : metrics_table(report));
  return 0;
}

}  // namespace semblance
