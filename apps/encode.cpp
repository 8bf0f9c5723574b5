// semblance encode RUN [FILE|-] [options]
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "apps/output.h"
#include "apps/serving.h"
#include "apps/verbs.h"
#include "data/io/atomic_file.h"
#include "data/io/line_reader.h"
#include "data/text/unicode.h"
#include "data/vectors/convert.h"
#include "training/tasks/trigram.h"
#include "training/unknown_words.h"

namespace semblance {
namespace {

enum class EncodeFormat { Word2vec, Word2vecBinary, Mapped, Jsonl };

}  // namespace

template <>
struct EnumNames<EncodeFormat> {
  static constexpr std::array names{
      std::pair{EncodeFormat::Word2vec, "word2vec"}, std::pair{EncodeFormat::Word2vecBinary, "word2vec-bin"},
      std::pair{EncodeFormat::Mapped, "mapped"}, std::pair{EncodeFormat::Jsonl, "jsonl"}};
};

namespace {

VectorFormat vector_format(EncodeFormat format) {
  switch (format) {
    case EncodeFormat::Word2vecBinary:
      return VectorFormat::Word2vecBinary;
    case EncodeFormat::Mapped:
      return VectorFormat::Mapped;
    default:
      return VectorFormat::Word2vec;
  }
}

// A folder of its own for a file that is on its way to standard output.
class Spool {
 public:
  Spool() {
    auto name = (std::filesystem::temp_directory_path() / "semblance-XXXXXX").string();
    if (!mkdtemp(name.data())) throw Error(ErrorKind::Internal, "{}: a folder cannot be made there", name);
    folder_ = name;
  }
  ~Spool() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;

  std::string file() const { return folder_ / "vectors"; }
  void print() const {
    ByteStream stream(file(), Compression::None);
    std::vector<char> buffer(size_t{1} << 20);
    while (const size_t n = stream.read(buffer)) print_out({buffer.data(), n});
  }

 private:
  std::filesystem::path folder_;
};

// Calls visit(word) for each line that is not empty, as well-formed UTF-8.
template <class Visit>
void for_each_word(const std::string& path, Visit&& visit) {
  LineReader lines{ByteStream(path)};
  std::string valid;
  int64_t damaged = 0;
  for (std::string_view line; lines.next(line);) {
    if (line.empty()) continue;
    valid.clear();
    damaged += append_valid_utf8(line, valid) > 0;
    visit(std::string_view(valid));
  }
  if (damaged > 0)
    print_note(
        fmt::format("warning: {}: {} word(s) with ill-formed UTF-8, which became U+FFFD", path, damaged));
}

}  // namespace

int run_encode(Arguments arguments) {
  CommandLine line(
      "encode RUN [FILE|-] [options]",
      "Gives words, one a line, the vectors of a trigram model. A word of which the model knows no\n"
      "run of characters gets none: such words are named and counted.");
  line.add_option("Model", "checkpoint", "best|last|NAME", "which checkpoint of the run", "best");
  line.add_option("Words", "merge", "VECTORS",
                  "write these vectors first, and make those of other words alone");
  line.add_option("Output", "output-format", config_detail::all_names<EncodeFormat>(),
                  "what to write; jsonl has a JSON object a line", "word2vec");
  line.add_option("Output", "output", "FILE", "where to write it, in one step, instead of standard output");
  if (!line.parse(arguments)) return 0;
  const auto& given = line.positional(1, 2);
  EncodeFormat format = EncodeFormat::Word2vec;
  if (const auto name = line.last("output-format"))
    parse_value(format, *name, "output-format", Field{.help = ""});
  const auto location = locate_checkpoint(given[0], line.last("checkpoint").value_or("best"));
  const TrigramModel model(read_checkpoint(location.path(), CheckpointPart::ModelOnly),
                           location.path().string());
  std::optional<WordVectors> known;
  if (const auto merge = line.last("merge")) {
    known = WordVectors::load(*merge, {}, print_note);
    if (known->dim() != model.dim())
      throw Error(ErrorKind::Data, "{}: expected vectors of {} numbers, found {}", *merge, model.dim(),
                  known->dim());
  }

  const auto output = line.last("output");
  const std::string words = given.size() > 1 ? given[1] : "-";
  std::vector<float> vector(static_cast<size_t>(model.dim()));
  UnknownWords unknown;
  WordTable written;
  // A word's vector to `add`, once; of known words the known one.
  const auto encode_to = [&](auto&& add) {
    if (known)
      for (int64_t id = 0; id < known->size(); ++id) add(known->word(id), known->vector(id));
    for_each_word(words, [&](std::string_view word) {
      if ((known && known->find(word) >= 0) || written.find(word) >= 0) return;
      written.add(word);
      if (model.encode(word, vector))
        add(word, std::span<const float>(vector));
      else
        unknown.add(word);
    });
  };
  if (format == EncodeFormat::Jsonl) {
    std::optional<AtomicFile> file;
    if (output) file.emplace(*output);
    encode_to([&](std::string_view word, std::span<const float> values) {
      const Json object = {{"word", word}, {"vector", std::vector<float>(values.begin(), values.end())}};
      const auto text = object.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
      file ? file->writer().write(text) : print_out(text);
    });
    if (file) file->commit();
  } else {
    std::optional<Spool> spool;
    if (!output) spool.emplace();
    const auto writer =
        VectorWriter::create(output ? *output : spool->file(), vector_format(format), model.dim(), 0);
    encode_to([&](std::string_view word, std::span<const float> values) { writer->add(word, values); });
    writer->finish();
    if (spool) spool->print();
    if (writer->words_with_blanks() > 0)
      print_note(fmt::format("warning: {} word(s) with blanks, written with _ in their place",
                             writer->words_with_blanks()));
  }
  unknown.report("without a vector, since no run of their characters is known", print_note);
  flush_out();
  return 0;
}

}  // namespace semblance
