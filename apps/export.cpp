// semblance export RUN --format FORMAT --output FILE [options]
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "apps/output.h"
#include "apps/serving.h"
#include "apps/verbs.h"
#include "data/io/atomic_file.h"
#include "data/io/temporary_path.h"
#include "data/vectors/convert.h"
#include "data/vectors/projector.h"
#include "training/serving/text_encoder.h"
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

std::string quoted(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

// Opens the folder with sentence-transformers itself, by the Python that PYTHON names, and tells how far its
// vectors of the lines of `files` are from the model's own, where that knows a word.
Json check_folder(const OpenedModel& opened, const std::string& folder,
                  const std::vector<std::string>& files) {
  constexpr const char* kScript =
      "import json, sys\n"
      "from sentence_transformers import SentenceTransformer\n"
      "rows = [json.loads(line) for line in open(sys.argv[2], encoding='utf-8')]\n"
      "model = SentenceTransformer(sys.argv[1], device='cpu', trust_remote_code=True)\n"
      "found = model.encode([row['text'] for row in rows])\n"
      "far = [max(abs(float(a) - b) for a, b in zip(v, row['vector'])) for v, row in zip(found, rows) if "
      "row['vector']]\n"
      "print(json.dumps({'texts': len(rows), 'largest_difference': max(far, default=0.0)}))\n";
  Texts texts;
  for (const auto& file : files)
    for_each_line(file, [&](std::string_view text, bool) { texts.push_back(text); });
  const auto encoded = dynamic_cast<TextEncoder&>(*opened.model).encode(texts);
  std::string rows;
  for (int64_t i = 0; i < texts.size(); ++i) {
    const auto* vector = encoded.vectors.const_data_ptr<float>() + i * encoded.vectors.size(1);
    Json row = {{"text", texts[i]}, {"vector", nullptr}};
    if (encoded.known[static_cast<size_t>(i)])
      row["vector"] = std::span(vector, static_cast<size_t>(encoded.vectors.size(1)));
    rows += json_line(row) + "\n";
  }
  const TemporaryPath path(std::filesystem::temp_directory_path() / temporary_name("check"));
  write_file_atomically(path.c_str(), rows);
  const char* named = std::getenv("PYTHON");
  const std::string python = named ? named : "python3";
  const auto command =
      fmt::format("{} -c {} {} {}", quoted(python), quoted(kScript), quoted(folder), quoted(path.c_str()));
  std::string out;
  if (auto* pipe = ::popen(command.c_str(), "r")) {
    char buffer[4096];
    for (size_t n; (n = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) out.append(buffer, n);
    if (::pclose(pipe) != 0) out.clear();
  }
  const Json told = json_if_any(out);
  if (!told.is_object())
    throw Error(ErrorKind::Usage,
                "--check: expected a Python that has sentence-transformers and opens {}, found {} that did "
                "not; PYTHON=… "
                "names another",
                folder, python);
  print_note(fmt::format("{}: {} texts, of which the largest difference is {:.1e}", folder, texts.size(),
                         finite_number_in(told, "largest_difference")));
  return told;
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
    if (!makes_small && !(to_folder && field.name == "check") && line.given(field.name))
      throw Error(ErrorKind::Usage, "--{}: expected --format small beside it, found {}", field.name, name);
  const auto output = output_file(line);
  const bool to_stream = output == "-";
  if (to_stream && (to_folder || format == ExportFormat::Projector))
    throw Error(ErrorKind::Usage, "--output: expected a folder for --format {}, found -", name);
  const auto opened = open_served(line, given[0], makes_small ? "can be exported" : "has a table of words",
                                  [&](const TaskKind& kind) { return makes_small || kind.has_word_vectors; });
  if (to_folder) {
    const auto* encoder = dynamic_cast<const SentenceTransformersExportable*>(opened.model.get());
    if (!encoder)
      throw Error(ErrorKind::Usage, "sentence-transformers: expected a dssm run, found one of {}",
                  opened.task());
    Json report = encoder->write_sentence_transformers(output, print_note);
    if (!small.check.empty()) report["check"] = check_folder(opened, output, small.check);
    print_export(std::move(report), opened, line);
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
