// semblance export RUN --format FORMAT --output FILE [options]
#include "apps/output.h"
#include "apps/serving.h"
#include "apps/verbs.h"
#include "data/vectors/convert.h"
#include "data/vectors/projector.h"
#include "training/tasks/export_fasttext.h"
#include "training/tasks/export_small.h"
#include "training/tasks/open_words.h"

namespace semblance {
namespace {

enum class ExportFormat {
  Small,
  FastText,
  SentenceTransformers,
  Projector,
  Mapped,
  Word2vec,
  Word2vecBinary
};

}  // namespace

template <>
struct EnumNames<ExportFormat> {
  static constexpr std::array names{
      std::pair{ExportFormat::Small, std::string_view("small")},
      std::pair{ExportFormat::FastText, std::string_view("fasttext")},
      std::pair{ExportFormat::SentenceTransformers, std::string_view("sentence-transformers")},
      std::pair{ExportFormat::Projector, std::string_view("projector")},
      std::pair{ExportFormat::Mapped, enum_name(VectorFormat::Mapped)},
      std::pair{ExportFormat::Word2vec, enum_name(VectorFormat::Word2vec)},
      std::pair{ExportFormat::Word2vecBinary, enum_name(VectorFormat::Word2vecBinary)}};
};

namespace {

Json export_words(const OpenedModel& opened, const std::string& output, std::string_view format) {
  const auto vectors = dynamic_cast<const WordTableModel&>(*opened.model).word_vectors();
  if (parse_enum<ExportFormat>(format, "format") == ExportFormat::Projector)
    write_projector(vectors, output);
  else
    write_vectors(vectors, output, parse_enum<VectorFormat>(format, "format"), print_note);
  return {{"output", output}, {"format", format}, {"vectors", vectors.size()}, {"dim", vectors.dim()}};
}

// A classifier as one of fastText's, the words of any other run as its vectors.
Json export_fasttext(const CommandLine& line, const OpenedModel& opened, const std::string& output) {
  const auto oov = line.last("oov");
  if (const auto* classifier = dynamic_cast<const FastTextExportable*>(opened.model.get())) {
    if (oov) throw Error(ErrorKind::Usage, "--oov: expected a run with word vectors, found a classifier");
    return classifier->write_fasttext(output, print_note);
  }
  const auto vectors = dynamic_cast<const WordTableModel&>(*opened.model).word_vectors();
  const auto ngrams = oov ? open_ngram_table(*oov, print_note) : nullptr;
  return write_fasttext_vectors(vectors, ngrams.get(), output, print_note);
}

void print_export(Json report, const OpenedModel& opened, const CommandLine& line) {
  report["run"] = opened.location.run.string();
  report["checkpoint"] = opened.location.name;
  print_out(line.given("json") ? json_line(report) + "\n" : metrics_table(report));
}

}  // namespace

int run_export(Arguments arguments) {
  CommandLine line(
      "export RUN --format FORMAT --output FILE [options]",
      "Writes a model's words and their vectors: of word2vec what it learnt, of sentiment and dssm the\n"
      "words' embeddings. Or, as small, the model itself: one file, in eight bits a number and without "
      "n-grams\n"
      "that change little, which every verb takes in place of the run. Or, as fasttext, a model that "
      "fastText\n"
      "opens: a classifier of --model mean, or word vectors. Or, as projector, a folder for TensorBoard's "
      "projector;\nas sentence-transformers, a folder that sentence-transformers and model2vec open as an "
      "encoder.");
  SmallOptions small;
  line.add_option("Output", "format", enum_choices<ExportFormat>(), "what to write");
  line.add_option("Output", "output", "FILE|-", "where to write it; a file is replaced in one step");
  line.add_option("Output", "oov", "RUN",
                  "fasttext: a trigram run, whose n-grams give vectors to words that are not written");
  line.add_fields(small, "Small models");
  add_serving_options(line);
  if (!line.parse(arguments)) return 0;
  const auto& given = line.positional(1, 1);
  const auto name = line.last("format").value_or("");
  const auto format = parse_enum<ExportFormat>(name, "format");
  const bool makes_small = format == ExportFormat::Small, to_fasttext = format == ExportFormat::FastText,
             to_folder = format == ExportFormat::SentenceTransformers;
  if (line.given("oov") && !to_fasttext)
    throw Error(ErrorKind::Usage, "--oov: expected --format fasttext beside it, found {}", name);
  line.apply_fields(small);
  for (const auto& field : fields_of(small))
    if (!makes_small && line.given(field.name))
      throw Error(ErrorKind::Usage, "--{}: expected --format small beside it, found {}", field.name, name);
  const auto output = line.last("output").value_or("");
  if (output.empty()) throw Error(ErrorKind::Usage, "--output: expected a file to write, found none");
  const bool to_stream = output == "-";
  if (to_stream && (to_folder || format == ExportFormat::Projector))
    throw Error(ErrorKind::Usage, "--output: expected a folder for --format {}, found -", name);
  if (to_stream && line.given("json"))
    throw Error(ErrorKind::Usage, "--json: expected a file as --output, found -, where the output goes");
  const auto opened = open_served(line, given[0], makes_small ? "can be exported" : "has a table of words",
                                  [&](const TaskKind& kind) { return makes_small || kind.has_word_vectors; });
  if (to_folder) {
    const auto* encoder = dynamic_cast<const SentenceTransformersExportable*>(opened.model.get());
    if (!encoder)
      throw Error(ErrorKind::Usage, "sentence-transformers: expected a dssm run, found one of {}",
                  opened.task());
    print_export(encoder->write_sentence_transformers(output, print_note), opened, line);
    return 0;
  }
  Json report = makes_small   ? export_small(opened, small, output, print_note)
                : to_fasttext ? export_fasttext(line, opened, output)
                              : export_words(opened, output, name);
  if (to_stream) return 0;
  print_export(std::move(report), opened, line);
  return 0;
}

}  // namespace semblance
