// semblance encode RUN [FILE|-] [options]
#include "apps/output.h"
#include "apps/serving.h"
#include "apps/verbs.h"
#include "data/io/atomic_file.h"
#include "data/vectors/convert.h"
#include "training/serving/text_encoder.h"
#include "training/serving/unknown_words.h"
#include "training/tasks/open_words.h"

namespace semblance {
namespace {

enum class EncodeFormat { Auto, Word2vec, Word2vecBinary, Mapped, Jsonl };

}  // namespace

template <>
struct EnumNames<EncodeFormat> {
  static constexpr std::array names{
      std::pair{EncodeFormat::Auto, "auto"}, std::pair{EncodeFormat::Word2vec, "word2vec"},
      std::pair{EncodeFormat::Word2vecBinary, "word2vec-bin"}, std::pair{EncodeFormat::Mapped, "mapped"},
      std::pair{EncodeFormat::Jsonl, "jsonl"}};
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

// Where vectors go, and the form that they take there.
class Output {
 public:
  virtual ~Output() = default;
  virtual void add(std::string_view key, std::span<const float> vector) = 0;
  /// What no vector could be made for.
  virtual void add_unknown(std::string_view) {}
  virtual void finish() = 0;
};

class JsonLines : public Output {
 public:
  /// `key`: the name of what is encoded.
  JsonLines(std::string key, const std::string& path)
      : key_(std::move(key)), file_(path, Delivery::AsWritten) {}
  void add(std::string_view key, std::span<const float> vector) override {
    write({{key_, key}, {"vector", std::vector<float>(vector.begin(), vector.end())}});
  }
  void add_unknown(std::string_view key) override {
    write({{key_, key}, {"vector", nullptr}, {"unknown", true}});
  }
  void finish() override { file_.commit(); }

 private:
  void write(const Json& object) { file_.writer().write(json_line(object) + "\n"); }

  std::string key_;
  AtomicFile file_;
};

// A file of vectors, each key once.
class VectorTable : public Output {
 public:
  VectorTable(VectorFormat format, int64_t dim, uint64_t encoder, const std::string& path)
      : writer_(VectorWriter::create(path, format, dim, 0, encoder)) {}
  void add(std::string_view key, std::span<const float> vector) override {
    const auto before = keys_.size();
    if (keys_.add(key) < before)
      ++repeated_;
    else
      writer_->add(key, vector);
  }
  void finish() override {
    if (keys_.size() == 0)
      throw Error(ErrorKind::Data, "expected words or texts that the model knows, found none");
    writer_->finish();
    if (repeated_ > 0) print_note(fmt::format("{} line(s) that came before, written once", repeated_));
    if (writer_->words_with_blanks() > 0)
      print_note(fmt::format(
          "warning: {} word(s) or text(s) with blanks or control characters, written with _ in their place",
          writer_->words_with_blanks()));
  }

 private:
  std::unique_ptr<VectorWriter> writer_;
  WordTable keys_;
  int64_t repeated_ = 0;
};

std::unique_ptr<Output> make_output(EncodeFormat format, const std::string& key, int64_t dim,
                                    uint64_t encoder, const std::string& path) {
  if (format == EncodeFormat::Jsonl) return std::make_unique<JsonLines>(key, path);
  return std::make_unique<VectorTable>(vector_format(format), dim, encoder, path);
}

// Words, those of --merge before them; of words that --merge has, its vectors alone.
void write_words(const CommandLine& line, const WordEncoder& model, const std::string& path,
                 EncodeFormat format) {
  std::optional<WordVectors> known;
  if (const auto merge = line.last("merge")) {
    known = open_word_vectors(*merge, {}, print_note);
    if (known->dim() != model.dim())
      throw Error(ErrorKind::Data, "{}: expected vectors of {} dimensions, found {}", *merge, model.dim(),
                  known->dim());
  }
  const auto output = make_output(format == EncodeFormat::Auto ? EncodeFormat::Word2vec : format, "word",
                                  model.dim(), 0, line.last("output").value_or("-"));
  for (int64_t id = 0; known && id < known->size(); ++id) output->add(known->word(id), known->vector(id));
  std::vector<float> vector(static_cast<size_t>(model.dim()));
  UnknownWords unknown;
  for_each_line(path, [&](std::string_view word, bool) {
    if (known && known->find(word) >= 0) return;
    if (model.encode(word, vector)) {
      output->add(word, vector);
    } else {
      output->add_unknown(word);
      if (!word.empty()) unknown.add(word);
    }
  });
  output->finish();
  unknown.report("without a vector, since no n-gram of their characters is known", print_note);
}

void write_texts(const CommandLine& line, TextEncoder& model, const OpenedModel& served,
                 const std::string& path, EncodeFormat format) {
  if (line.given("merge"))
    throw Error(ErrorKind::Usage, "--merge: does not apply to a {} model", served.task());
  const auto output = make_output(format == EncodeFormat::Auto ? EncodeFormat::Jsonl : format, "text",
                                  model.dim(), served.checkpoint.identity, line.last("output").value_or("-"));
  constexpr int64_t kAtOnce = 8192;
  Texts texts;
  int64_t unknown = 0, total = 0;
  const auto flush = [&] {
    const auto encoded = model.encode(texts);
    const auto dim = static_cast<size_t>(model.dim());
    for (int64_t i = 0; i < texts.size(); ++i) {
      if (encoded.known[static_cast<size_t>(i)]) {
        output->add(texts[i], {encoded.vectors.const_data_ptr<float>() + static_cast<size_t>(i) * dim, dim});
      } else {
        output->add_unknown(texts[i]);
        ++unknown;
      }
    }
    total += texts.size();
    texts = {};
  };
  for_each_line(path, [&](std::string_view text, bool may_wait) {
    texts.push_back(text);
    if (may_wait || texts.size() == kAtOnce) flush();
  });
  if (texts.size() > 0) flush();
  output->finish();
  if (unknown > 0)
    print_note(fmt::format("warning: {} of {} text(s) have no word that the model knows, and no vector",
                           unknown, total));
}

}  // namespace

int run_encode(Arguments arguments) {
  CommandLine line(
      "encode RUN [FILE|-] [options]",
      "Gives vectors to words (a trigram model) or to texts (a dssm model), one per line. A word of which "
      "no\n"
      "character n-gram is known gets none, nor does a text of which no word is: they are counted.");
  add_serving_options(line);
  line.add_option("Words", "merge", "VECTORS",
                  "write these vectors first, and make those of other words alone");
  line.add_option("Output", "output-format", enum_choices<EncodeFormat>(),
                  "what to write; jsonl has one JSON object per line, one for each line of texts; the others "
                  "have each text once; "
                  "auto: word2vec for words, jsonl for texts",
                  "auto");
  line.add_option("Output", "output", "FILE|-", "where to write it; a file is replaced in one step", "-");
  if (!line.parse(arguments)) return 0;
  const auto& given = line.positional(1, 2);
  EncodeFormat format = EncodeFormat::Auto;
  if (const auto name = line.last("output-format")) format = parse_enum<EncodeFormat>(*name, "output-format");
  if (line.given("json")) format = EncodeFormat::Jsonl;
  const auto served = open_served(line, given[0], "encodes", [](const TaskKind& kind) {
    return kind.encodes_texts || kind.encodes_words;
  });
  const std::string path = given.size() > 1 ? given[1] : "-";
  if (const auto* words = dynamic_cast<const WordEncoder*>(served.model.get()))
    write_words(line, *words, path, format);
  else
    write_texts(line, dynamic_cast<TextEncoder&>(*served.model), served, path, format);
  return 0;
}

}  // namespace semblance
