#include "parsers.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "data/corpus/corpus.h"
#include "data/error.h"
#include "data/readers/labelled_texts.h"
#include "data/readers/text_rows.h"
#include "data/text/text_pipeline.h"
#include "data/vectors/convert.h"
#include "data/vectors/fasttext_model.h"
#include "data/vectors/word_vectors.h"
#include "training/checkpoint.h"
#include "training/measures/word_sets.h"
#include "training/tasks/dssm/static_folder.h"
#include "training/tensor_file.h"

namespace semblance {
namespace {

namespace fs = std::filesystem;

const Notice kQuiet = [](const std::string&) {};
constexpr BadRows kBothWays[] = {BadRows::Error, BadRows::Skip};

// A folder in memory that goes with the process.
class Folder {
 public:
  Folder() {
    const fs::path memory = "/dev/shm";
    auto name =
        ((fs::is_directory(memory) ? memory : fs::temp_directory_path()) / "semblance-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~Folder() { fs::remove_all(path_); }
  fs::path operator/(const std::string& name) const { return path_ / name; }

 private:
  fs::path path_;
};

std::string write(const std::string& name, std::string_view bytes) {
  static const Folder folder;
  const auto path = (folder / name).string();
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  return path;
}

std::string contents(const fs::path& path) {
  std::ostringstream bytes;
  bytes << std::ifstream(path, std::ios::binary).rdbuf();
  return bytes.str();
}

template <class Read>
void attempt(Read&& read) {
  try {
    read();
  } catch (const Error&) {
  }
}

void read_vectors(std::string_view bytes) {
  const auto path = write("vectors", bytes);
  for (const auto bad_rows : kBothWays)
    attempt([&] {
      const auto vectors = WordVectors::load(path, {.limit = 0, .bad_rows = bad_rows}, kQuiet);
      for (int64_t i = 0; i < vectors.size(); ++i)
        if (vectors.format() != "mapped" && vectors.find(vectors.word(i)) != i) std::abort();
    });
}

void read_texts_and_labels(std::string_view bytes) {
  const std::string path = write("texts", bytes);
  for (const auto bad_rows : kBothWays) {
    InputOptions options;
    options.table.bad_rows = bad_rows;
    attempt([&] { read_labelled_texts(std::span(&path, 1), options); });
    attempt([&] { read_texts(path, options, {}, [](const Layout&) {}, [](const ReadText&) {}); });
  }
}

void read_rows(std::string_view bytes) {
  const auto path = write("rows", bytes);
  for (const auto bad_rows : kBothWays)
    attempt([&] {
      RowFileOptions options;
      options.table.bad_rows = bad_rows;
      TextRows rows;
      read_duplicate_rows(path, options, kQuiet, rows);
    });
}

void read_corpus(std::string_view bytes) {
  const auto path = write("corpus", bytes);
  attempt([&] {
    CorpusRules rules;
    rules.phrases = {.passes = 1, .threshold = 1, .min_count = 1};
    const Corpus corpus({path}, rules, 1, kQuiet);
    Corpus::Reader reader(corpus, 0);
    int64_t words = 0;
    while (reader.next(7).size() > 0) words += 7;
    if (words < corpus.tokens()) std::abort();
  });
}

void read_word_set(std::string_view bytes) {
  static const auto vectors =
      WordVectors::load(write("known", "4 2\na 1 0\nb 0 1\nc 1 1\nd 1 -1\n"), {}, kQuiet);
  const auto path = write("set", bytes);
  for (const bool fold : {false, true})
    attempt([&] { evaluate_word_set(vectors, path, {.case_insensitive = fold}); });
}

void read_job(std::string_view bytes) {
  const auto path = write("job.toml", bytes);
  attempt([&] { read_toml(path); });
}

void read_tensor_file(std::string_view bytes) {
  const auto path = write("tensors", bytes);
  attempt([&] { read_tensors(path); });
}

// A classifier or word vectors, whatever the file says it is.
void read_fasttext(std::string_view bytes) {
  const auto path = write("fasttext", bytes);
  attempt([&] {
    const FastTextModel model(path);
    std::vector<float> vector(static_cast<size_t>(model.dim())), p(model.labels().size());
    for (const auto* word : {"w1", "unseen", "</s>"}) attempt([&] { model.word_vector(word, vector); });
    if (model.is_classifier()) model.label_probabilities("w1 a1\xC3\xA9 unseen", p);
  });
}

void read_tokenizer(std::string_view bytes) {
  attempt([&] {
    auto pieces = std::make_shared<WordPiece>(bytes, "tokenizer.json");
    if (bytes.size() % 2 == 0) pieces->drop_unknown();
    TextOptions options;
    options.tokenizer = Tokenizer::WordPiece;
    const TextPipeline pipeline(options, pieces);
    TokenBuffer buffer;
    pipeline.tokenize("How [MASK] unable\tCAFÉ \xE4\xB8\xAD—x", buffer);
    if (WordPiece(pieces->serialize(), "own").pieces().size() != pieces->pieces().size()) std::abort();
  });
}

const fs::path kFolders = fs::path(SEMBLANCE_SOURCE_DIR) / "tests/fixtures/static_folders";

// A folder of sentence-transformers that has this file for its modules, and for what configures a layer.
void read_modules(std::string_view bytes) {
  static const Folder folder;
  const auto copy = folder / "layers";
  if (!fs::exists(copy)) fs::copy(kFolders / "layers", copy, fs::copy_options::recursive);
  for (const auto* name : {"1_Dense/config.json", "modules.json"}) {
    std::ofstream(copy / name, std::ios::binary)
        .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    attempt([&] { read_static_folder(copy.string(), kQuiet); });
    fs::copy_file(kFolders / "layers" / name, copy / name, fs::copy_options::overwrite_existing);
  }
}

const fs::path kFastText = fs::path(SEMBLANCE_SOURCE_DIR) / "tests/fixtures/fasttext";
const fs::path kGolden = fs::path(SEMBLANCE_SOURCE_DIR) / "tests/fixtures/golden";

// The checkpoint of a dssm model that has this manifest.
void read_manifest(std::string_view bytes) {
  const auto golden = kGolden / "dssm" / "step-00000012";
  static const Folder folder;
  const auto checkpoint = folder / "step-00000012";
  if (!fs::exists(checkpoint)) fs::copy(golden, checkpoint);
  std::ofstream(checkpoint / "manifest.json", std::ios::binary)
      .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  attempt([&] { verify_checkpoint(checkpoint); });
  attempt([&] { read_checkpoint(checkpoint, CheckpointPart::TrainingState); });
}

std::vector<std::string> vector_files() {
  const auto mapped = write("mapped", "");
  convert_vectors(write("plain", "2 2\na 1 0\nbb 0 1\n"), {}, mapped, VectorFormat::Mapped, kQuiet);
  return {contents(mapped), "2 3\na 1 2 3\nbb 4 5 6\n", "a 1 2 3\nbb 4 5 6\n",
          std::string("2 2\na \0\0\x80\x3f\0\0\0\x40\nb \0\0\x80\x3f\0\0\0\x40\n", 27),
          "\xEF\xBB\xBF"
          "2 2\r\nnew york 1e-3 -2\r\nb nan 4\r\n"};
}

std::vector<std::string> text_files() {
  return {"label,text\ngood,\"a \"\"b\"\"\nc\"\nbad,d e\ngood,f\n",
          "good\ta b\nbad\tc d\n",
          "__label__a __label__b one two\n__label__c three\n",
          "1 a film\n0 another\n",
          "{\"text\": \"a b\", \"label\": [\"x\", \"y\"]}\n{\"label\": \"z\", \"text\": \"c\\n\\u00e9\"}\n",
          std::string("\xFF\xFEl\0,\0t\0\n\0a\0,\0b\0\n\0", 18),
          "id;text;a;b\n1;one;0;1\n2;two;1;0\n"};
}

std::vector<std::string> row_files() {
  return {"a b\tc d\te\nf\tg\n", "question,duplicate,score\na,b,0.5\nc,\"d,e\",1\n",
          "{\"question\": \"a\", \"duplicates\": [\"b\"]}\n"};
}

std::vector<std::string> corpora() {
  return {"the cat sat on the mat\nnew york new york\n\n a\n", "a b a b a b\r\n"};
}

std::vector<std::string> word_sets() {
  return {": one\na b c d\n: two\nb a d c\n", "a\tb\t1\nc\td\t2.5\n# no\na d 3\n",
          "Word 1\tWord 2\tMean\na\tc\t1e2\nb\td\t-1\n"};
}

std::vector<std::string> jobs() {
  return {
      "task = \"dssm\"\n\n[data]\nsplit = [1.0, 0.0, 0.0]\ntrain = [\"a\"]\n\n[model]\ndim = 300\nalpha = "
      "0.2\n",
      contents(kGolden / "sentiment/job.toml")};
}

std::vector<std::string> tensor_files() {
  return {contents(kGolden / "dssm/step-00000012/model.safetensors"),
          std::string("\x40\0\0\0\0\0\0\0", 8) +
              R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}          )" + std::string(4, '\0')};
}

std::vector<std::string> fasttext_models() {
  std::vector<std::string> models;
  for (const auto* name : {"softmax.bin", "hs.bin", "ova.bin", "pruned.ftz", "words.bin"})
    models.push_back(contents(kFastText / name));
  return models;
}

std::vector<std::string> tokenizers() {
  return {contents(kFolders / "plain/tokenizer.json"), contents(kFolders / "quantised/tokenizer.json")};
}

std::vector<std::string> module_lists() {
  return {contents(kFolders / "layers/modules.json"), contents(kFolders / "layers/1_Dense/config.json")};
}

std::vector<std::string> manifests() {
  return {contents(kGolden / "dssm/step-00000012/manifest.json")};
}

constexpr Parser kParsers[] = {
    {"vectors", read_vectors, vector_files},
    {"texts", read_texts_and_labels, text_files},
    {"rows", read_rows, row_files},
    {"corpus", read_corpus, corpora},
    {"word-set", read_word_set, word_sets},
    {"job", read_job, jobs},
    {"tensors", read_tensor_file, tensor_files},
    {"manifest", read_manifest, manifests},
    {"fasttext", read_fasttext, fasttext_models},
    {"tokenizer", read_tokenizer, tokenizers},
    {"modules", read_modules, module_lists},
};

}  // namespace

std::span<const Parser> parsers() {
  return kParsers;
}

}  // namespace semblance
